"""From a path to `Settings`, or to every problem at once."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from openparallax.config import certificates, rules, watching
from openparallax.config.choices import DEFAULT_PIPELINE, Choices
from openparallax.config.database import database_path
from openparallax.config.document import Tree, bytes_of, folder_of, read
from openparallax.config.homes import Homes
from openparallax.config.instead import Instead
from openparallax.config.models import File
from openparallax.config.problems import Problems, dotted
from openparallax.config.resolve import Resolver
from openparallax.config.secrets import Sources
from openparallax.config.settings import Catalog, OffTheRecord, Settings, Storage
from openparallax.config.validate import validate


def load(
    path: Path,
    *,
    environment: Mapping[str, str],
    engines: Catalog,
    stages: Catalog,
    sentences: Mapping[str, str] | None = None,
    instead: Instead | None = None,
    text: bytes | None = None,
) -> Settings:
    """Read the configuration.

    Reads the file, and the files and credentials that it names; writes nothing; may be repeated.

    Args:
        path: The YAML file. Relative paths in it are relative to its folder.
        environment: The process's variables.
        engines: The engines that are installed, with the models of their settings.
        stages: The same of the stages.
        sentences: What the daemon says, by name, which ``notices`` may override; None: not
            checked.
        instead: What wins against the file.
        text: What the file holds, where not what it holds now is wanted: only the files that it
            names are read then.

    Raises:
        ConfigError: It is not usable. ``problems`` has all that was found, each as
            ``file:line: key: what is wrong and what is meant``, without values.
    """
    instead = instead or Instead()
    instead.check(environment)
    problems = Problems(str(path))
    text = bytes_of(path) if text is None else text
    tree = read(path, problems, text)
    sources = Sources(environment, folder_of(path))
    homes = Homes(tree, engines, stages)
    resolver = Resolver(sources, problems, homes)
    resolved = resolver.section(File, tree, ())
    whatsapp = _block(resolved.get("channels")).get("whatsapp")
    certificates.check(whatsapp, sources, problems)
    file = validate(File, resolved, (), problems, missing=resolver.missing)

    rules.check_enabled(whatsapp, problems)
    rules.check_signatures(whatsapp, problems)
    rules.check_accounts(whatsapp, problems)
    if sentences is not None:
        rules.check_notices(tree.get("notices"), sentences, problems)
    rules.check_ports(whatsapp, resolved.get("admin"), problems)
    watching.check(resolved.get("tracing"), problems)
    url = _block(resolved.get("storage")).get("url")
    database = instead.database(environment)
    if database is None or isinstance(url, str):
        of_file = database_path(url if isinstance(url, str) else None, sources, problems)
        database = database or of_file

    choices = Choices(engines, stages, sources, problems, homes)
    engine = choices.engine(tree.get("engine", {}), ("engine",))
    pipeline = choices.pipeline(tree.get("pipeline", DEFAULT_PIPELINE), ("pipeline",))
    aside = _block(tree.get("off_the_record"))
    other_engine = other_pipeline = None
    if aside.get("engine") is not None:
        other_engine = choices.engine(aside["engine"], ("off_the_record", "engine"))
    if aside.get("pipeline") is not None:
        other_pipeline = choices.pipeline(aside["pipeline"], ("off_the_record", "pipeline"))

    problems.raise_if_any()
    if file is None or engine is None or pipeline is None:
        raise AssertionError("refused without a problem")
    channel = instead.whatsapp(file.channels.whatsapp)
    return Settings(
        file=path,
        whatsapp=channel,
        engine=engine,
        pipeline=pipeline,
        conversation=file.conversation,
        off_the_record=OffTheRecord(file.off_the_record.idle_minutes, other_engine, other_pipeline),
        notices=MappingProxyType(file.notices),
        outbox=file.outbox,
        storage=Storage(database, file.storage.retention_days),
        admin=file.admin,
        log=file.log,
        alerts=file.alerts,
        tracing=file.tracing,
        warnings=(
            *rules.warnings(channel, file.admin),
            *rules.national_numbers(_block(whatsapp)),
            *rules.secrets_others_may_read(path, tree),
            *watching.warnings(file.alerts, environment),
        ),
        origins=MappingProxyType({dotted(at): origin for at, origin in sources.origins.items()}),
        text=text,
    )


def _block(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}
