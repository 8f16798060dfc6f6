"""Deconvolution: the room behind the blur, as far as kernel and noise allow, and what the leak shows where that is
more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vbtools.config.params import param
from vbtools.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vbtools.store.reader import Reader

IDENTIFIED = "identified"


@dataclass(frozen=True)
class DeconvolveParams:
    """Parameters of deconvolve; by default the kernel is the one that the clip itself tells."""

    method: str = param("tv", "least total variation, or a Wiener filter with a 1/f^2 prior", choices=("tv", "wiener"))
    sigma: float = param(0.0, "effective sigma of the blur; 0: as identified", minimum=0.0, maximum=100.0, unit="px")
    family: str = param(
        IDENTIFIED, "the blur's kernel; a given sigma without a family is a Gaussian's",
        choices=(IDENTIFIED, "gaussian", "truncated", "short", "box", "triangle"),
    )  # fmt: skip


class Deconvolve:
    """Undo the blur of the plate; where the project has a leak, each pixel's detail is from the channel that has more.

    In a project it starts from ``/aggregate/plate``, which is finer than 8 bits, and from ``/aggregate/blur``. A
    picture alone is taken as it is, and the kernel is told from its edges. Lightness is restored; colours stay as
    blurred.

    Attributes:
        notes: what was done, for the user; filled by a call.
        told: the same as a row of ``/enhance/restoration``, less its step; None before a call, or where nothing was
            done.
    """

    Params = DeconvolveParams

    def __init__(self, params: DeconvolveParams) -> None:
        self.params = params
        self.notes: list[str] = []
        self.told: dict[str, Any] | None = None
        self._plate: NDArray[np.float32] | None = None
        self._leak: NDArray[np.float32] | None = None
        self._believed: NDArray[np.float32] | None = None
        self._known: NDArray[np.bool_] | None = None
        self._blur: dict[str, Any] | None = None

    def prepare(self, inputs: Reader) -> None:
        """Take the plate and what is known of the blur and the leak from a project with aggregate.

        Args:
            inputs: open.
        """
        self._plate = inputs.array("aggregate", "plate")
        if inputs.has("aggregate", "blur"):
            self._blur = inputs.table("aggregate", "blur")[0]
        if inputs.has("aggregate", "leak"):
            # The leak alone: the background has been undone already, in part.
            self._leak = inputs.array("aggregate", "leak")
            # Beside the fringe the confidence is the plate's: there is no leak to put in the restored plate's place.
            self._believed = inputs.array("aggregate", "confidence") * (inputs.array("aggregate", "support") > 0)
        if inputs.has("aggregate", "overlays"):
            self._known = inputs.array("aggregate", "overlays") == 0

    def __call__(self, image: NDArray[np.uint8], observed: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return ``(H, W, 3)`` uint8 RGB; the image itself where nothing is blurred or the kernel cannot be
        told.

        Args:
            image: ``(H, W, 3)`` uint8 RGB; after :meth:`prepare` the background that belongs to the plate.
            observed: ``(H, W)`` bool.

        Raises:
            InputError: a family is given, but neither a sigma is nor can one be told.
        """
        import numpy as np

        from vbtools.ops import deconvolution as ops
        from vbtools.ops.blur_kind import NONE
        from vbtools.ops.detail import LUMA, SIGMA_PX
        from vbtools.ops.unobserved import fill

        filled = np.asarray(fill(image if self._plate is None else self._plate, observed), np.float32)
        plate = filled @ LUMA
        family, sigma = self._kernel(plate, observed)
        if family == NONE:
            self.notes.append("deconvolve: the background is not blurred, so nothing is undone: it stays as it is")
            return image
        if not np.isfinite(sigma):
            self.notes.append("deconvolve: cannot tell the blur's kernel, so nothing is undone; give it: sigma")
            return image
        found = ops.limits(plate, family, sigma)
        undone = ops.restored(plate, family, sigma, found, self.params.method)
        inside = ops.within_borders(plate.shape[0], plate.shape[1], sigma) * ops.away_from_holes(observed, sigma)
        undone = np.asarray(plate + (undone - plate) * inside, np.float32)
        share = 0.0
        if self._leak is not None and self._believed is not None:
            detail = SIGMA_PX * plate.shape[0] / 720
            leak = np.where(observed, self._leak, np.float32(0))
            carried = ops.carried(family, sigma, found, detail)
            undone = ops.best_of_both(undone, plate, leak, self._believed, carried, detail)
            share = float((self._believed > carried).mean())
        self.told = {
            "method": self.params.method, "family": family, "sigma": sigma, "noise": found.noise,
            "cutoff": found.cutoff, "leak_share": share,
        }  # fmt: skip
        finest = 1 / max(found.cutoff, 1e-3) / 2
        self.notes.append(
            f"deconvolve: {self.params.method}, {family} kernel of sigma {sigma:.1f} px,"
            f" noise {found.noise:.2f} grey levels;"
            f" cut-off {found.cutoff:.3f} cycles/px: detail below {finest:.0f} px is lost"
        )
        restored = filled + (undone - plate)[..., None]
        return np.asarray(np.rint(np.clip(restored, 0, 255)), np.uint8)

    def _kernel(self, plate: NDArray[np.float32], observed: NDArray[np.bool_]) -> tuple[str, float]:
        """Family and effective sigma, px; NaN: cannot tell; 0: not blurred."""
        import numpy as np

        from vbtools.ops.blur_kind import CANNOT_TELL, NONE, Blur, family_of, kernel_of

        params = self.params
        if params.sigma:
            return ("gaussian" if params.family == IDENTIFIED else params.family), params.sigma
        if self._blur is not None and self._blur["family"] == NONE:
            return NONE, 0.0
        if self._blur is not None:
            family, sigma = family_of(Blur(**self._blur)), float(self._blur["sigma"])
        else:
            from vbtools.ops.blur_edges import width
            from vbtools.ops.blur_presence import NOBODY, edge_widths, is_sharp
            from vbtools.ops.blur_spectrum import falloff

            known = observed if self._known is None else observed & self._known
            if is_sharp(edge_widths(plate, known), NOBODY):
                return NONE, 0.0
            kernel = kernel_of(width(plate, known), falloff(plate, known))
            family, sigma = ("gaussian" if kernel.family == CANNOT_TELL else kernel.family), kernel.sigma
        if params.family == IDENTIFIED:
            return family, sigma
        if not np.isfinite(sigma):
            raise InputError(
                f"deconvolve: the family is given ({params.family}), but how wide the blur is cannot be told",
                "Give it too: {deconvolve: {family: " + params.family + ", sigma: 8}}",
            )
        return params.family, sigma
