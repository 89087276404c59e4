package subnet

import (
	"slices"
	"testing"
)

func TestDescribe(t *testing.T) {
	for text, want := range map[string]Network{
		"10.1.2.3/20":   {"10.1.0.0/20", "10.1.0.0", "10.1.15.255", "4096", true},
		"192.0.2.1/32":  {"192.0.2.1/32", "192.0.2.1", "192.0.2.1", "1", false},
		"2001:db8::/32": {"2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "79228162514264337593543950336", false},
	} {
		if got, err := Describe(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "10.0.0.0", "10.0.0.0/33", "::/129"} {
		if got, err := Describe(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestSplit(t *testing.T) {
	got, err := Split("255.255.255.0/24", 26)
	want := []string{"255.255.255.0/26", "255.255.255.64/26", "255.255.255.128/26", "255.255.255.192/26"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bits := range []int{-1, 7, 33, 32} {
		if got, err := Split("10.0.0.0/8", bits); err == nil {
			t.Errorf("/%d: %d parts", bits, len(got))
		}
	}
}
