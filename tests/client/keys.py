"""Keys of the tests' own, written as PEM files."""

from pathlib import Path

from joserfc.jwk import ECKey, RSAKey


def rsa_pem(folder: Path, name: str = "rsa") -> Path:
    """A new RSA key of 2048 bits."""
    return _write(folder / f"{name}.pem", RSAKey.generate_key(2048))


def ec_pem(folder: Path, name: str = "ec", curve: str = "P-384") -> Path:
    """A new EC key."""
    return _write(folder / f"{name}.pem", ECKey.generate_key(curve))


def _write(path: Path, key: RSAKey | ECKey) -> Path:
    path.write_bytes(key.as_pem(private=True))
    return path
