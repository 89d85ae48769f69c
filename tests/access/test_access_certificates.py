"""The client certificate in a header: read from the ingress, and from nobody else."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from adapter.access.caller import NotShownError, Reason
from adapter.access.certificates import Certificate, is_proven, read_certificate
from tests.access.issuer import ec

HASH = sha256(b"certificate").hexdigest()
SUBJECT = "CN=ehr.region.example,O=Region Jämtland Härjedalen"


def certificate() -> x509.Certificate:
    key = ec().private_key
    assert key is not None
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ehr.region.example")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=365))
        .sign(key, SHA256())
    )


READ = [
    # header, hash, subject, because
    (f"Hash={HASH}", HASH, None, "Envoy, the hash alone"),
    (f'By=spiffe://a/b;Hash={HASH};Subject="{SUBJECT}";URI=;DNS=ehr', HASH, SUBJECT, "Envoy, all it knows"),
    (f'hash={HASH.upper()};subject="CN=a"', HASH, "CN=a", "in capitals"),
    ('Subject="CN=a\\"b,O=c;d"', None, 'CN=a"b,O=c;d', "Envoy escapes quotation marks"),
    (HASH, HASH, None, "HAProxy: the bare SHA-256"),
    (":".join(HASH[i : i + 2] for i in range(0, 64, 2)).upper(), HASH, None, "as openssl prints it"),
    ("Subject=CN=a", None, "CN=a", "without quotation marks"),
]


@pytest.mark.parametrize(("header", "hashed", "subject", "because"), READ)
def test_what_the_header_says(header: str, hashed: str | None, subject: str | None, because: str) -> None:
    assert read_certificate([header]) == Certificate(hashed, subject), because


def test_a_certificate_as_nginx_passes_it_on() -> None:
    made = certificate()
    header = quote(made.public_bytes(Encoding.PEM).decode())
    expected = Certificate(sha256(made.public_bytes(Encoding.DER)).hexdigest(), "CN=ehr.region.example")
    assert read_certificate([header]) == expected


REFUSED = [
    # headers, because
    ([f"Hash={HASH},Hash={'0' * 64}"], "two elements: a proxy added to what the client wrote"),
    ([f'Hash={HASH},Subject="CN=a"'], "two elements, a part of each: neither is whole"),
    ([f"Hash={'0' * 64}", f"Hash={HASH}"], "two headers: the client wrote one of them"),
    ([f"Hash={HASH};Hash={'0' * 64}"], "two hashes"),
    (['Subject="CN=a";Subject="CN=b"'], "two subjects"),
    (['Subject="CN=a,Hash=' + HASH], "a quotation mark that is not closed"),
    ([f'Subject="a"x;Hash={HASH}'], "words after a value"),
    (["Hash=1234"], "no SHA-256"),
    (["By=spiffe://a/b"], "nothing of the client's"),
    ([""], "nothing"),
    (["garbage"], "no form that is known"),
    (["-----BEGIN CERTIFICATE-----%0Agarbage"], "no certificate"),
    (["Hash=" + "0" * 20_000], "longer than any header may be"),
]


@pytest.mark.parametrize(("headers", "because"), REFUSED)
def test_what_is_not_read(headers: list[str], because: str) -> None:
    with pytest.raises(NotShownError) as caught:
        read_certificate(headers)
    assert caught.value.reason is Reason.CERTIFICATE, because


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_no_header_brings_it_down(text: str) -> None:
    try:
        found = read_certificate([text])
    except NotShownError:
        return
    assert found.sha256 is not None or found.subject is not None


PROOF = sha256(b"proof").hexdigest()
PROVEN = [
    # shown, proven, because
    (["proof"], True, "the ingress's secret"),
    ([], False, "none"),
    (["Proof"], False, "another"),
    ([PROOF], False, "its hash is no secret: it stands in the settings"),
    (["proof", "proof"], False, "twice: somebody before the ingress wrote one"),
    (["pröof"], False, "no ASCII"),
]


@pytest.mark.parametrize(("shown", "proven", "because"), PROVEN)
def test_who_is_the_ingress(shown: list[str], proven: bool, because: str) -> None:
    assert is_proven(shown, PROOF) is proven, because
