"""From a path to `Settings`, or to every problem at once."""

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from openparallax.config import rules
from openparallax.config.choices import DEFAULT_PIPELINE, Choices
from openparallax.config.document import Tree, load_text, parse
from openparallax.config.models import File
from openparallax.config.problems import Problems
from openparallax.config.resolve import Resolver
from openparallax.config.secrets import Sources
from openparallax.config.settings import Catalog, OffTheRecord, Settings, Storage
from openparallax.config.validate import validate
from openparallax.errors import ConfigError

_MAX_BYTES = 1024 * 1024


def load(
    path: Path,
    *,
    environment: Mapping[str, str],
    engines: Catalog,
    stages: Catalog,
    notice_names: Collection[str] | None = None,
) -> Settings:
    """Read the configuration.

    Reads the file, and the files and credentials that it names; writes nothing; may be repeated.

    Args:
        path: The YAML file. Relative paths in it are relative to its folder.
        environment: The process's variables.
        engines: The engines that are installed, with the models of their settings.
        stages: The same of the stages.
        notice_names: The sentences that ``notices`` may override; None: not checked.

    Raises:
        ConfigError: It is not usable. ``problems`` has all that was found, each as
            ``file:line: key: what is wrong and what is meant``, without values.
    """
    problems = Problems(str(path))
    tree = parse(load_text(str(path), _read(path)), problems)
    if tree is None:
        raise ConfigError([f"{path}: is empty; config.example.yaml shows what belongs there"])
    if not isinstance(tree, dict):
        raise ConfigError([f"{path}: must be settings, each a `key: value`"])
    rules.take_out_not_yet(tree, problems)

    sources = Sources(environment, path.absolute().parent if path.is_file() else Path.cwd())
    resolver = Resolver(sources, problems)
    resolved = resolver.section(File, tree, ())
    file = validate(File, resolved, (), problems, missing=resolver.missing)

    whatsapp = _block(resolved.get("channels")).get("whatsapp")
    rules.check_enabled(whatsapp, problems)
    rules.check_signatures(whatsapp, problems)
    rules.check_accounts(whatsapp, problems)
    if notice_names is not None:
        rules.check_notices(tree.get("notices"), notice_names, problems)
    url = _block(resolved.get("storage")).get("url")
    database = rules.database_path(url if isinstance(url, str) else None, sources, problems)

    choices = Choices(engines, stages, sources, problems)
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
    return Settings(
        file=path,
        whatsapp=file.channels.whatsapp,
        engine=engine,
        pipeline=pipeline,
        conversation=file.conversation,
        off_the_record=OffTheRecord(file.off_the_record.idle_minutes, other_engine, other_pipeline),
        notices=MappingProxyType(file.notices),
        outbox=file.outbox,
        storage=Storage(database, file.storage.retention_days),
        admin=file.admin,
        log=file.log,
        warnings=rules.warnings(tree, file.channels.whatsapp),
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file"]) from None
    except IsADirectoryError:
        raise ConfigError([f"{path}: is a folder; name the file in it"]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no path"
        raise ConfigError([f"{path}: cannot be read ({reason})"]) from None
    if len(raw) > _MAX_BYTES:
        raise ConfigError([f"{path}: is over 1 MiB, too big for a configuration"])
    return raw


def _block(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}
