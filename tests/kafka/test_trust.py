"""What a context of TLS demands, and the words for what goes wrong: no path's content, no name of a host."""

import ssl
from pathlib import Path

import pytest

from adapter.errors import UnavailableError
from adapter.trust import context_of, tls_fault
from tests.kafka.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("trust"), "region")


@pytest.mark.parametrize("public", [True, False])
def test_a_context_checks_certificate_and_host_name_and_is_of_today(
    authority: Authority, public: bool
) -> None:
    context = context_of(None if public else authority.file, None, None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert public or len(context.get_ca_certs()) == 1, "the region's own authority, and no public one beside"


def test_a_file_that_cannot_be_used_is_told_by_its_path_and_may_pass(authority: Authority) -> None:
    """While files are exchanged a certificate may stand beside the key of the one before."""
    one, other = authority.client("a"), authority.client("b")
    for files in (
        (authority.file.with_name("none"), None, None),
        (one.key, None, None),
        (authority.file, one.certificate, other.key),
        (authority.file, one.certificate, one.key.with_name("none")),
    ):
        with pytest.raises(UnavailableError) as caught:
            context_of(*files)
        assert caught.value.retryable
        assert Path(caught.value.problems[0].expression or "").parent == one.key.parent
    assert context_of(authority.file, one.certificate, one.key)


def _verification(code: int) -> ssl.SSLCertVerificationError:
    fault = ssl.SSLCertVerificationError(1, "certificate verify failed: kRm9vQ7x is not db.example")
    fault.verify_code = code
    return fault


def _handshake(reason: str) -> ssl.SSLError:
    fault = ssl.SSLError(1, "kRm9vQ7x")
    fault.reason = reason
    return fault


WORDS = [
    # the fault, in words, because
    (_verification(10), "its certificate has expired", "X509_V_ERR_CERT_HAS_EXPIRED"),
    (_verification(9), "its certificate is not valid yet", "X509_V_ERR_CERT_NOT_YET_VALID"),
    (_verification(62), "its certificate is of another host name", "X509_V_ERR_HOSTNAME_MISMATCH"),
    (_verification(64), "its certificate is of another address", "X509_V_ERR_IP_ADDRESS_MISMATCH"),
    (_verification(18), "its certificate is not of an authority that is trusted", "signed by itself"),
    (_verification(20), "its certificate is not of an authority that is trusted", "signed by who is unknown"),
    (_handshake("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "it does not take our certificate", "none was shown"),
    (_handshake("SSLV3_ALERT_CERTIFICATE_EXPIRED"), "it does not take our certificate", "ours has expired"),
    (_handshake("TLSV1_ALERT_UNKNOWN_CA"), "it does not take our certificate", "of an unknown authority"),
    (_handshake("TLSV1_ALERT_PROTOCOL_VERSION"), "it agrees to no TLS that we speak", "an older one alone"),
    (_handshake("UNSUPPORTED_PROTOCOL"), "it agrees to no TLS that we speak", "an older one alone"),
    (_handshake("WRONG_VERSION_NUMBER"), "it does not speak TLS, or broke off", "no TLS at all"),
    (ConnectionRefusedError("kRm9vQ7x"), None, "nothing of TLS"),
]


@pytest.mark.parametrize(("fault", "words", "because"), WORDS)
def test_a_fault_has_words_however_deep_it_lies(fault: Exception, words: str | None, because: str) -> None:
    assert tls_fault(fault) == words, because
    above = RuntimeError("kRm9vQ7x")
    above.__cause__ = fault
    assert tls_fault(above) == words, because
