//! Address blocks of the `cidr` operator, IPv4 and IPv6.

use core::net::IpAddr;

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u32,
}

impl Cidr {
    /// Reads `10.0.0.0/24` or `2001:db8::/32`; the error is AWS's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let (Some(address), Some(bits), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        let bits = bits.parse::<i64>().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        let bits = u32::try_from(bits).map_err(|_| "Malformed CIDR, mask bits must not be negative".to_owned())?;
        let Ok(address) = address.parse::<IpAddr>() else {
            return Err(format!("Nonstandard IP address: {address}"));
        };
        let (family, bits_max) = if address.is_ipv4() { ("IPv4", 32) } else { ("IPv6", 128) };
        if bits > bits_max {
            return Err(format!("{family} mask bits must be < {bits_max}"));
        }
        Ok(Self { address, bits })
    }

    /// Whether the text is an address of the block.
    pub fn holds(&self, text: &str) -> bool {
        match (self.address, text.parse()) {
            (IpAddr::V4(network), Ok(IpAddr::V4(address))) => {
                let differs = u32::from(network) ^ u32::from(address);
                differs.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), Ok(IpAddr::V6(address))) => {
                let differs = u128::from(network) ^ u128::from(address);
                differs.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}
