"""A small region's callers: two hospitals, a municipality's system, the staff; and what each shows."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from adapter.access.api_keys import new_key
from adapter.credentials import Credentials, Ingress, Issuer, Staff
from adapter.settings import Source
from tests.access.issuer import NOW_S, claims, issuer, token

HASH = sha256(b"certificate").hexdigest()
SUBJECT = "CN=krokom,O=Krokoms kommun"
PROOF = "the ingress's secret of the tests"
HOOK = "a notification's secret of the tests"
KEYS = {name: new_key() for name in ("hospital", "other", "ostersund", "krokom", "narrow")}
INGRESS = Ingress(proof=sha256(PROOF.encode()).hexdigest())


def sources(folder: Path, tokens: Issuer | None = None) -> dict[str, Source]:
    """Of `hospital` every credential is known, of the others some."""
    tokens = issuer(folder) if tokens is None else tokens
    hook = folder / "hook"
    hook.write_text(f"{HOOK}\n", encoding="utf-8")
    own = {name: (hashed,) for name, (_, hashed) in KEYS.items()}
    return {
        "hospital": Source(
            mapping="losus-r4",
            credentials=Credentials(
                keys=own["hospital"], tokens=tokens, client="hospital", certificates=(HASH,)
            ),
            hook_file=hook,
        ),
        "other": Source(
            mapping="losus-r4",
            credentials=Credentials(keys=own["other"], tokens=tokens, client="other", certificates=("CN=o",)),
        ),
        "narrow": Source(
            mapping="losus-r4", credentials=Credentials(keys=own["narrow"], scopes=("system/Encounter.c",))
        ),
        "ostersund": Source(
            mapping="losus-r4", municipality="2380", credentials=Credentials(keys=own["ostersund"])
        ),
        "krokom": Source(
            mapping="losus-r4",
            municipality="2309",
            credentials=Credentials(keys=own["krokom"], certificates=(SUBJECT,)),
        ),
    }


def staff(folder: Path, tokens: Issuer | None = None) -> Staff:
    return Staff(tokens=issuer(folder) if tokens is None else tokens)


def person(*roles: str, now_s: int = NOW_S, **more: Any) -> str:
    """A token of staff; the person's name is made of the roles."""
    name = "-".join(roles) or "nobody"
    said = {"client_id": None, "scope": None, "azp": "portal", "sub": name, "roles": list(roles), **more}
    return token(claims(now_s, **said))


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def api_key(name: str) -> dict[str, str]:
    return {"authorization": f"ApiKey {KEYS[name][0]}"}


def tls(header: str, proof: str = PROOF) -> dict[str, str]:
    return {"x-forwarded-client-cert": header, "x-losus-ingress": proof}


NOBODY: dict[str, str] = {}
OPERATOR, CONTROLLER, AUDITOR = (
    lambda role=role: bearer(person(role)) for role in ("region-operator", "controller", "auditor")
)
CALLERS = {
    "nobody": lambda: NOBODY,
    "hospital": lambda: api_key("hospital"),
    "other": lambda: api_key("other"),
    "narrow": lambda: api_key("narrow"),
    "ostersund": lambda: api_key("ostersund"),
    "krokom": lambda: api_key("krokom"),
    "operator": OPERATOR,
    "controller": CONTROLLER,
    "auditor": AUDITOR,
    "theirs": lambda: bearer(person("municipality-controller", municipality="2380")),
    "krokoms": lambda: bearer(person("municipality-controller", municipality="2309")),
}
