//! Contrast between colours, as the Web Content Accessibility Guidelines (WCAG 2.2) compute it.

/// Red, green and blue, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Color([f64; 3]);

impl Color {
    /// Reads `rrggbb` or `rgb` in hexadecimal digits, with or without `#`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').unwrap_or(text).as_bytes();
        let width = match digits.len() {
            3 => 1,
            6 => 2,
            _ => return None,
        };
        let mut channels = [0.0; 3];
        for (channel, part) in channels.iter_mut().zip(digits.chunks(width)) {
            let mut value = 0;
            for &digit in part.iter().cycle().take(2) {
                value = value * 16 + char::from(digit).to_digit(16)?;
            }
            *channel = f64::from(value) / 255.0;
        }
        Some(Self(channels))
    }

    /// How bright it is, from 0 to 1.
    fn luminance(self) -> f64 {
        let linear = |channel: f64| {
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// From 1 (none) to 21 (black on white).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(one: &str, two: &str) -> f64 {
        Color::parse(one).unwrap().contrast(Color::parse(two).unwrap())
    }

    #[test]
    fn computes_the_values_of_the_guidelines() {
        for (one, two, wanted) in
            [("#000", "#fff", 21.0), ("777777", "ffffff", 4.48), ("abc", "aabbcc", 1.0)]
        {
            assert!((contrast(one, two) - wanted).abs() < 0.01, "{one} {two}");
            assert_eq!(contrast(one, two), contrast(two, one));
        }
    }

    #[test]
    fn refuses_what_is_no_color() {
        for text in ["", "#", "ffff", "ggg", "#12345", "1234567", "é1"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }
}
