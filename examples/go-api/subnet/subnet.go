// Package subnet computes with IP networks: what a prefix holds, and how it is cut into smaller ones.
package subnet

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
)

// MaxParts is the most networks that Split gives at once.
const MaxParts = 1024

// Network is a prefix and what follows from it.
type Network struct {
	Prefix    string `json:"prefix"`
	First     string `json:"first"`
	Last      string `json:"last"`
	Addresses string `json:"addresses"`
	Private   bool   `json:"private"`
}

// Describe reads a prefix such as 10.1.2.3/20 or 2001:db8::/32; bits below it are dropped.
func Describe(text string) (Network, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return Network{}, fmt.Errorf("%q is no network", text)
	}
	prefix = prefix.Masked()
	return Network{
		Prefix:    prefix.String(),
		First:     prefix.Addr().String(),
		Last:      last(prefix).String(),
		Addresses: count(prefix).String(),
		Private:   prefix.Addr().IsPrivate(),
	}, nil
}

// Split cuts a network into all networks of a longer prefix.
func Split(text string, bits int) ([]string, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no network", text)
	}
	prefix = prefix.Masked()
	if bits < prefix.Bits() || bits > prefix.Addr().BitLen() {
		return nil, fmt.Errorf("%s cannot be cut into /%d", prefix, bits)
	}
	if shift := bits - prefix.Bits(); shift > 30 || 1<<shift > MaxParts {
		return nil, errors.New("these are too many networks")
	}
	var parts []string
	for at := prefix.Addr(); ; {
		part := netip.PrefixFrom(at, bits)
		parts = append(parts, part.String())
		at = last(part).Next()
		if !at.IsValid() || !prefix.Contains(at) {
			return parts, nil
		}
	}
}

func last(prefix netip.Prefix) netip.Addr {
	bytes := prefix.Addr().AsSlice()
	for bit := prefix.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

func count(prefix netip.Prefix) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(prefix.Addr().BitLen()-prefix.Bits()))
}
