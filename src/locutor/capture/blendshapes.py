"""Blendshapes corrected for the person: what the face shows at rest is not an expression."""

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

def corrected_blendshapes(raw, in_head, observed):
    return raw
