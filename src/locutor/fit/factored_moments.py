"""What the bases' optimiser remembers: second moments in factors."""

from jaxtyping import Float, Int
from torch import Tensor


class FactoredMoments:
    """State of Adafactor (Shazeer & Stern 2018, algorithm 4) without clipping; the step is the subclasses'.

    No first moment.

    The gradient of the bases is an outer product in every step, `coefficients[k] row[c, i]`. What Adam would keep for
    every entry is kept in factors: the second moment of entry (k, c, i) is taken to be
    `columns[k] rows[c, i] / mean(columns)`.

    Attributes:
        bases: changed in place, in units of `channel_scale`.
        channel_scale: as in `locutor.splat.motion_field.motion_field`.
        columns: running mean square of each basis's gradient, [K].
        rows: running mean square of the gradient over the bases, [R, M].
        steps: how many were done.
    """

    def __init__(
        self, bases: Float[Tensor, "K R M"], channel_scale: Float[Tensor, " R"], beta: float, epsilon: float
    ) -> None:
        self.bases, self.channel_scale = bases, channel_scale
        self.columns = bases.new_zeros(bases.shape[0])
        self.rows = bases.new_zeros(bases.shape[1:])
        self.steps = 0
        self._beta, self._epsilon = beta, epsilon

    def forget(self, members: Int[Tensor, " R"]) -> None:
        """Clear what is known of some Gaussians, as if they were new."""
        self.rows.index_fill_(1, members, 0.0)

    def state(self) -> dict[str, int | Tensor]:
        """Everything needed to go on later, beside the bases."""
        return {"steps": self.steps, "columns": self.columns, "rows": self.rows}

    def restore(self, state: dict[str, int | Tensor]) -> None:
        """Go back to a `state` of the same bases."""
        self.steps = int(state["steps"])
        for name in ("columns", "rows"):
            getattr(self, name).copy_(state[name])
