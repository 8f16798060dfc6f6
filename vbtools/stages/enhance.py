"""enhance: an ordered list of steps that make the background easier to read, each one's picture kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vbtools.backends import Backend, backend, names
from vbtools.backends.torch_device import DEVICES
from vbtools.config.element import Column, Element, table
from vbtools.config.params import FilePath, ParameterError, Step, Steps, build, param, specs
from vbtools.stages.base import Job, Progress, Silent, Stage
from vbtools.stages.licences import tell_licence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store.reader import Reader


RGB_AXES = ("H'", "W'", "3")


@dataclass(frozen=True)
class EnhanceParams:
    """Parameters of enhance."""

    steps: Steps = param((Step("clahe", {}),), "what to do, in order; an empty list skips it", choices=names("enhance"))
    weights: FilePath | None = param(None, "weights of the one step that takes them")
    tile: int | None = param(None, "largest side of a tile, for the steps that work in tiles", minimum=0, unit="px")
    device: str | None = param(None, "where to compute, for the steps that can choose", choices=DEVICES)


class Enhance(Stage[EnhanceParams]):
    """Run the steps one after the other, starting from the background. Unobserved pixels stay unobserved."""

    name = "enhance"
    version = 2
    summary = "restored: denoise, clahe, deconvolve, mprnet, realesrgan"
    example = "vbtools enhance -p study.h5 --steps clahe"
    Params = EnhanceParams
    elements = (
        Element("image", "uint8", RGB_AXES, "the last step's picture, RGB", "0-255", optional=True),
        Element("<step>", "uint8", RGB_AXES, "that step's picture, RGB", "0-255", optional=True),
        table(
            "restoration",
            "what each deconvolve step undid; no row where it could not tell the kernel",
            Column("step", "str", "the step's element"),
            Column("method", "str", "tv or wiener"),
            Column("family", "str", "of the kernel"),
            Column("sigma", "float64", "effective sigma of the kernel", "px"),
            Column("noise", "float64", "standard deviation of the plate's noise", "grey levels"),
            Column("cutoff", "float64", "up to here at least half of the room's height is brought back", "cycles/px"),
            Column("leak_share", "float64", "share of the picture whose detail is the leak's, 0-1"),
            optional=True,
        ),
    )

    @classmethod
    def parameters(cls, values: Mapping[str, Any]) -> EnhanceParams:
        """Check given values, each step's options included, and fill in every default.

        The stage's own ``weights``, ``tile`` and ``device`` move to the steps that take them, so that the same run has
        the same fingerprint however it was written. The options of a step that is not built are kept as given.

        Raises:
            ParameterError: with the path ``("steps", position, step, option)`` for a step's option.
        """
        made = build(cls.Params, values, cls.name)
        steps = made.steps
        for option in ("tile", "device"):
            if getattr(made, option) is not None:
                steps = _with_option(steps, option, getattr(made, option))
        steps = tuple(_resolved(step, position) for position, step in enumerate(steps))
        if made.weights is not None:
            steps = _with_weights(steps, made.weights)
        return replace(made, steps=steps, weights=None, tile=None, device=None)

    def requires(self, params: EnhanceParams) -> tuple[str, ...]:
        """The background, whatever the steps."""
        return ("aggregate",)

    def backends(self, params: EnhanceParams) -> tuple[Backend, ...]:
        """One row a step, each once, in order."""
        return tuple(backend("enhance", name) for name in dict.fromkeys(step.name for step in params.steps))

    def models(self, params: EnhanceParams) -> tuple[str, ...]:
        """The catalog's models of the steps that load one, each once, in order."""
        found = (getattr(_options(step), "model", None) for step in params.steps if _options_of(step.name))
        return tuple(dict.fromkeys(name for name in found if name))

    def weight_files(self, params: EnhanceParams) -> tuple[str, ...]:
        """Every file that a step's options name."""
        return tuple(v for step in params.steps for v in step.options.values() if isinstance(v, FilePath))

    def check(self, params: EnhanceParams) -> None:
        """As :meth:`Stage.check`; a step's own ``check`` looks into the weights that its options name."""
        super().check(params)
        for step in params.steps:
            own = getattr(backend("enhance", step.name).load(), "check", None)
            if own is not None:
                own(_options(step))

    def run(self, job: Job[EnhanceParams]) -> None:
        """Write each step's picture under the step's name, and the last one's also as ``image``."""
        if not job.params.steps:
            job.notes.append("no steps: the background stays as it is")
            return
        image = job.inputs.array("aggregate", "background")
        observed = job.inputs.array("aggregate", "coverage") > 0
        if not observed.any():
            job.notes.append("no pixel of the background was ever observed: there is nothing to enhance")
        rows = []
        for name, stepped, step in _pictures(image, observed, job.params, job.progress, job.notes, job.inputs):
            job.output.write(name, stepped)
            if getattr(step, "told", None) is not None:
                rows.append({"step": name, **step.told})
            image = stepped
        job.output.write("image", image)
        if rows:
            job.output.rows("restoration", rows)


def enhance_image(
    image: NDArray[np.uint8], params: EnhanceParams, progress: Progress | None = None
) -> NDArray[np.uint8]:
    """Run the steps on one picture, without a project; every pixel of it counts as observed.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        params: from :meth:`Enhance.parameters`.
        progress: where to say how far it is.

    Returns:
        ``(H', W', 3)`` uint8 RGB; the picture itself where there are no steps.

    Raises:
        MissingDependencyError, NotBuiltError: a step cannot run here; before the first one is started.
    """
    import numpy as np

    Enhance().check(params)
    for _, stepped, _ in _pictures(image, np.ones(image.shape[:2], np.bool_), params, progress or Silent(), []):
        image = stepped
    return image


def stored_pictures(project: Reader) -> tuple[str, ...]:
    """The pictures that enhance stored, ``image`` last; its tables are none."""
    names = (name for name in project.names("enhance") if project.dataset("enhance", name).ndim == len(RGB_AXES))
    return tuple(sorted(names, key=lambda name: name == "image"))


def picture_names(steps: Sequence[Step]) -> tuple[str, ...]:
    """The element of each step: its name, with ``-2``, ``-3`` for a step that is taken again."""
    seen: Counter[str] = Counter()
    found = []
    for step in steps:
        seen[step.name] += 1
        found.append(step.name if seen[step.name] == 1 else f"{step.name}-{seen[step.name]}")
    return tuple(found)


def _pictures(
    image: NDArray[np.uint8],
    observed: NDArray[np.bool_],
    params: EnhanceParams,
    progress: Progress,
    notes: list[str],
    inputs: Reader | None = None,
) -> Iterator[tuple[str, NDArray[np.uint8], Any]]:
    """Each step's element name and picture, and the step itself, in order; every step starts from the one before.

    The first one sees the project, if there is one and it asks for it: what it gets is what aggregate made.
    """
    from vbtools.ops.unobserved import resize_observed

    progress.start(len(params.steps), "steps")
    for done, (name, step) in enumerate(zip(picture_names(params.steps), params.steps, strict=True), 1):
        run_step = backend("enhance", step.name).load()(_options(step))
        if done == 1 and inputs is not None and hasattr(run_step, "prepare"):
            run_step.prepare(inputs)
        seen = resize_observed(observed, *image.shape[:2])
        if getattr(run_step, "reports", False):
            if run_step.licensed_as:
                tell_licence(run_step.licensed_as, progress)
            image = run_step(image, seen, progress)
            progress.start(len(params.steps), "steps")  # it counted its own work
            progress.advance(done)
        else:
            image = run_step(image, seen)
            progress.advance()
        notes += getattr(run_step, "notes", ())
        yield name, image, run_step


def _options(step: Step) -> Any:
    """A built step's options as its own parameters."""
    params = backend("enhance", step.name).parameters()
    return build(params, step.options, f"enhance.{step.name}")


def _options_of(step: str) -> type | None:
    """A step's parameter dataclass, None while it is not built; needs none of the packages that the step runs on."""
    row = backend("enhance", step)
    if not row.is_built:
        return None
    module, _, attribute = row.target.partition(":")
    params: type = getattr(import_module(module), attribute).Params
    return params


def _resolved(step: Step, position: int) -> Step:
    params = _options_of(step.name)
    if params is None:
        return step
    try:
        made: object = build(params, step.options, f"enhance.{step.name}")
    except ParameterError as error:
        path = ("steps", position, step.name, *error.path)
        raise ParameterError(error.fact, error.hint, path, at_key=error.at_key) from error
    return Step(step.name, {s.name: getattr(made, s.name) for s in specs(params)})


def _with_option(steps: Steps, option: str, value: object) -> Steps:
    """Give the stage's own option to every step that takes it and was not given one of its own.

    A device that no step can choose is no mistake: everything is computed on the CPU then. Tiles are.
    """
    takes = [_takes(step.name, option) for step in steps]
    if option == "tile" and not any(takes):
        raise ParameterError(
            f"enhance.{option} is {value}, but none of the steps takes it", "Leave it out", (option,)
        )
    return tuple(
        Step(step.name, {option: value, **step.options}) if taken else step
        for step, taken in zip(steps, takes, strict=True)
    )


def _with_weights(steps: Steps, weights: FilePath) -> Steps:
    takers = [position for position, step in enumerate(steps) if _takes(step.name, "weights")]
    if len(takers) != 1:
        which = ", ".join(steps[t].name for t in takers)
        fact = f"enhance.weights is for the one step that takes weights, but {len(takers)} of the steps do"
        hint = f"Give each its own: {{{steps[takers[0]].name}: {{weights: FILE}}}}" if takers else "Leave it out"
        raise ParameterError(f"{fact} ({which})" if which else fact, hint, ("weights",))
    taker = steps[takers[0]]
    if taker.options.get("weights") is not None:
        raise ParameterError(
            f"{taker.name}'s weights are given twice: '{taker.options['weights']}' and '{weights}'",
            "Leave out enhance.weights",
            ("weights",),
        )
    changed = Step(taker.name, {**taker.options, "weights": weights})
    return tuple(changed if position == takers[0] else step for position, step in enumerate(steps))


def _takes(step: str, option: str) -> bool:
    params = _options_of(step)
    if params is None:  # registered only: what loads a model will take its weights
        return option == "weights" and bool(backend("enhance", step).models)
    return any(s.name == option for s in specs(params))
