"""The settings: `LOSUS_…` environment variables, one YAML file (`LOSUS_SETTINGS`), secret files.

Owns names, defaults and the demands on them; does not own what they steer. Secrets are read from
files of the folder `LOSUS_SECRETS` where it is set (file `losus_secret` for `secret`, and so on).
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from adapter.agreements.invoicing import Invoicing
from adapter.agreements.load import default_folder as agreements_folder
from adapter.agreements.regions import COUNTY, read_organisation_number
from adapter.cluster import Cluster, Sasl, Tls
from adapter.credentials import Credentials, Ingress, Staff
from adapter.errors import Problem, SetupError
from adapter.fhir.document import MAX_BYTES, MAX_DEPTH
from adapter.mapping.load import default_folder as mappings_folder
from adapter.servers import Server
from adapter.streams import is_open_care


def _not_our_own(name: str) -> str:
    if name in {"relay", "region", "listener", "topics"}:
        raise ValueError("is the name of a user of the adapter's own")
    return name


Kommunkod = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
#: A subscriber's stream: a municipality's, or `region.` and the unit of open care (as in topics' names).
StreamName = Annotated[str, StringConstraints(pattern=r"^([0-9]{4}|region\.[a-z0-9]+(-[a-z0-9]+)*)$")]
LogLevel = Literal["debug", "info", "warning", "error"]
MonthText = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
County = Annotated[str, StringConstraints(pattern=COUNTY)]
OrganisationNumber = Annotated[str, AfterValidator(read_organisation_number)]
#: An address that others are appended to: without a slash at its end.
BaseUrl = Annotated[str, AfterValidator(lambda url: url.rstrip("/"))]
#: No source is named as a type of resource is: `/fhir/{source}` and `/fhir/{type}` are told apart.
SOURCE_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
#: No federation is named as a kommunkod is, nor as a user of the adapter's own.
FederationName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), AfterValidator(_not_our_own)
]
SourceName = Annotated[str, StringConstraints(pattern=SOURCE_NAME)]


class Source(BaseModel):
    """A system that may send: a hospital's EHR, or a municipality's system for its own cases.

    `municipality` is set for the latter: it may say what is a municipality's to say of its own cases, and
    dispute the lines of its own statements. `credentials` are how it shows who it is, `server` where it
    can be asked, `topic` the Kafka topic that it writes to, `hook_file` the file with the secret that its
    notifications bear. `region` is the länskod of the region whose hospitals it is of; None: that of the
    installation. `rate` is how many requests a minute it may make; `flood` the share of failing
    deliveries, among its last 50, at which it is stopped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    mapping: str
    fhir: Literal["R4", "R4B", "R5"] = "R4"
    municipality: Kommunkod | None = None
    region: County | None = None
    credentials: Credentials = Credentials()
    server: Server | None = None
    topic: str | None = None
    hook_file: Path | None = None
    rate: int | None = Field(default=None, ge=1)
    flood: float = Field(default=0.5, gt=0, le=1)


class Subscriber(BaseModel):
    """A municipality, or a unit of the region's open care (a vårdcentral), that is sent its cases.

    `kind` is `open-care` for the latter, whose key is `region.<unit>`. `organizations` are identifiers
    (`system|value`): a message may name a municipality by them instead of a *folkbokföring* kommunkod, and
    names a unit by them alone (its HSA-id). `payload: statutory` sends the four fields of LUS 2:2 alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    kind: Literal["municipality", "open-care"] = "municipality"
    organizations: tuple[str, ...] = ()
    payload: Literal["full", "statutory"] = "full"


class FederationSubscriber(BaseModel):
    """A subscriber that stands for several municipalities: it reads the topics of all of them.

    Its id is that of `agreements/federations.yaml`, and its user `losus-` and that. The topics stay the
    municipalities', each of which is one of `subscribers`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    members: tuple[Kommunkod, ...] = Field(min_length=1)


class TreatingRegion(BaseModel):
    """A region whose hospitals send: what it is paid under.

    `name` None: that of `agreements/regions.yaml`. `hospitals` are identifiers (`system|value`) of
    organisations, by which a stay is known to be in its hospitals, whichever source sends it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str | None = None
    organisation_number: OrganisationNumber | None = None
    hospitals: tuple[str, ...] = ()


class HomeRegion(TreatingRegion):
    """The region of the installation: creditor of what its hospitals' patients owe.

    `county` is its länskod. `uri` is the `source` of its events. A text alone is one of the two.
    """

    county: County | None = None
    uri: str = "urn:losus:region"


def _region(value: object) -> object:
    """Read a region that is given as a text: JSON, a länskod, or the URI of its events."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"county": f"{value:02d}"}
    if not isinstance(value, str):
        return value
    if value.startswith("{"):
        return json.loads(value)
    return {"county": value} if re.fullmatch(COUNTY, value) else {"uri": value}


RegionSetting = Annotated[
    HomeRegion, NoDecode, BeforeValidator(_region, json_schema_input_type=HomeRegion | str)
]


class Kafka(BaseModel):
    """Where the broker is, how one comes in, and how topics are made there.

    `plaintext` says expressly that nothing is encrypted on the way to a broker on another machine: for a mesh
    that encrypts by itself. It is demanded there, and has no effect where `tls` is set.
    `retention_days`: how long `.events` and `.settlements` keep a record; the database keeps it for good.
    `cases_days`: how long a case that has ended stays on `.cases`. `min_insync` None: one less than
    `replication`, so that the loss of one broker is borne. `make_topics`: the relay makes what is missing
    when it starts. `refuse_older`: nothing is published while Kafka has what the database does not know; off
    for a database that has nothing to do with what was published there before, as a sandbox's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    bootstrap: str = "127.0.0.1:9092"
    tls: Tls | None = None
    sasl: Sasl | None = None
    plaintext: bool = False
    partitions: int = Field(default=3, ge=1)
    replication: int = Field(default=1, ge=1)
    min_insync: int | None = Field(default=None, ge=1)
    retention_days: int = Field(default=90, ge=1)
    cases_days: int = Field(default=365, ge=1)
    make_topics: bool = True
    transactions: bool = True
    refuse_older: bool = True
    batch: int = Field(default=500, ge=1, description="events a transaction of the relay")

    @property
    def cluster(self) -> Cluster:
        """What every client is made with."""
        return Cluster(self.bootstrap, self.tls, self.sasl)


class Retention(BaseModel):
    """How many years each kind of record is kept before `losus retention` may take it out.

    None may be shorter than the law has it, and the database refuses it too. `cases`: all that was taken in,
    folded and told of a patient, after the last entry of the case (PDL 3:17); settlement of the months is
    closed before. `statements`: what was issued and disputed, after the end of the calendar year
    (bokföringslagen 7:2); never before their month is closed. `audit`: HSLF-FS 2016:40 4:9.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    cases_years: int = Field(default=10, ge=10, le=100)
    statements_years: int = Field(default=10, ge=7, le=100)
    audit_years: int = Field(default=10, ge=5, le=100)


class _Sourced(BaseSettings):
    """Where settings come from."""

    model_config = SettingsConfigDict(
        env_prefix="LOSUS_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' signature
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What was passed wins over the environment, that over secret files, those over the file."""
        file = os.environ.get("LOSUS_SETTINGS")
        yaml = (YamlConfigSettingsSource(settings_cls, file),) if file else ()
        return (init_settings, env_settings, file_secret_settings, *yaml)


class Settings(_Sourced):
    """All settings of one adapter; nothing here has a default that would be unsafe in production.

    `region` is the one of the installation, `regions` are others whose hospitals send to it, by länskod.
    `settle_from` is the first month that the scheduled run issues: what was settled elsewhere before must
    not be invoiced again. `rates` is the file of the region's own amounts per day, laid over the shipped
    one; None: `rates.own.yaml` in the folder `agreements`. `settlement_fhir` is the version that statements
    are told in. `invoice` is what the region's invoices need beside what is owed: terms of payment,
    accounts, VAT, and the parties' numbers. `open_doors` lets everybody in: for the sandbox alone. `seal`
    are files with keys (32 bytes, base64) that raw messages are encrypted with, the first for new ones.
    `reliable_cache_minutes` is how long the answer to a message is kept for a repeat.
    """

    database: SecretStr
    secret: SecretStr = Field(min_length=16)
    region: RegionSetting = HomeRegion()
    regions: dict[County, TreatingRegion] = {}
    kafka: Kafka = Kafka()
    retention: Retention = Retention()
    sources: dict[SourceName, Source] = {}
    subscribers: dict[StreamName, Subscriber] = {}
    federations: dict[FederationName, FederationSubscriber] = {}
    mappings: Path = Field(default_factory=mappings_folder)
    agreements: Path = Field(default_factory=agreements_folder)
    rates: Path | None = None
    agreement: str | None = None
    settle_from: MonthText | None = None
    settlement_fhir: Literal["R4", "R4B", "R5"] = "R4"
    invoice: Invoicing = Invoicing()
    base_url: BaseUrl = "http://127.0.0.1:8000"
    log_level: LogLevel = "info"
    open_doors: bool = False
    staff: Staff | None = None
    ingress: Ingress | None = None
    seal: tuple[Path, ...] = ()
    reliable_cache_minutes: int = Field(default=7 * 24 * 60, ge=60)
    ready_lag_s: float = Field(default=300.0, gt=0, description="an older event unpublished: not ready")
    max_bytes: int = MAX_BYTES
    max_depth: int = MAX_DEPTH
    max_entries: int = Field(default=1_000, ge=1)

    @field_validator("subscribers")
    @classmethod
    def _named_by_kind(cls, subscribers: dict[str, Subscriber]) -> dict[str, Subscriber]:
        for stream, one in subscribers.items():
            if (one.kind == "open-care") != is_open_care(stream):
                raise ValueError("kind: open-care, and that alone, has a key `region.<unit>`")
            if one.kind == "open-care" and not one.organizations:
                raise ValueError("a unit of open care is known by its `organizations` alone")
        return subscribers

    @property
    def municipalities(self) -> dict[str, Subscriber]:
        """The subscribing municipalities, by kommunkod."""
        return {code: one for code, one in self.subscribers.items() if one.kind == "municipality"}

    @property
    def open_care(self) -> dict[str, Subscriber]:
        """The subscribing units of the region's open care, by stream."""
        return {stream: one for stream, one in self.subscribers.items() if one.kind == "open-care"}

    def listening_on(self, port: int) -> Self:
        """These settings of a service on that port: where no `base_url` is named, it is this machine's."""
        if "base_url" in self.model_fields_set:
            return self
        return self.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})


class _KafkaAlone(_Sourced):
    """Of the same sources nothing but the broker."""

    model_config = SettingsConfigDict(extra="ignore")
    kafka: Kafka = Kafka()


class RegionsAlone(_Sourced):
    """Of the same sources nothing but the regions."""

    model_config = SettingsConfigDict(extra="ignore")
    region: RegionSetting = HomeRegion()
    regions: dict[County, TreatingRegion] = {}
    sources: dict[SourceName, Source] = {}


class DatabaseAlone(_Sourced):
    """Of the same sources what changes the database's shape: no secret but its own."""

    model_config = SettingsConfigDict(extra="ignore")
    database: SecretStr
    open_doors: bool = False
    log_level: LogLevel = "info"


class _RatesAlone(_Sourced):
    """Of the same sources nothing but the place of the region's own rates."""

    model_config = SettingsConfigDict(extra="ignore")
    rates: Path | None = None


def load_rates_place() -> Path | None:
    """Give the place of the region's own rates; None where none is named. SetupError as below."""
    with _told():
        return _RatesAlone(_secrets_dir=os.environ.get("LOSUS_SECRETS")).rates


def load_settings() -> Settings:
    """The settings of this process; SetupError with every fault at once, and none of their values."""
    with _told():
        return Settings(_secrets_dir=os.environ.get("LOSUS_SECRETS"))


def load_kafka(bootstrap: str | None = None) -> Kafka:
    """The settings of the broker alone, at another address if one is named; SetupError as above.

    For who only reads a topic: a municipality has no database of ours.
    """
    with _told():
        found = _KafkaAlone(_secrets_dir=os.environ.get("LOSUS_SECRETS")).kafka
    return found if bootstrap is None else found.model_copy(update={"bootstrap": bootstrap})


def load_regions() -> RegionsAlone:
    """The regions of the settings alone, for who settles a file; SetupError as above."""
    with _told():
        return RegionsAlone(_secrets_dir=os.environ.get("LOSUS_SECRETS"))


def load_database() -> DatabaseAlone:
    """The settings of the database alone, for who changes its shape and needs no other secret; SetupError."""
    with _told():
        return DatabaseAlone(_secrets_dir=os.environ.get("LOSUS_SECRETS"))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        places = ["LOSUS_" + "__".join(str(step) for step in fault["loc"]).upper() for fault in faults]
        problems = [Problem("value", fault["msg"], at) for fault, at in zip(faults, places, strict=True)]
        raise SetupError(*problems) from None
