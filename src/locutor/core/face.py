"""Which points of MediaPipe's 478-point face mesh the project uses, and for what.

`FACE_POINTS` fixes the order of `Motion.face`: the same basis for every person.
"""

LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
JAW = (152, 148, 176, 149, 150, 136, 377, 400, 378, 379, 365, 199, 200, 18, 83, 313, 182, 406)
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
IRISES = tuple(range(468, 478))
BROWS = (46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336)

LIPS = LIPS_OUTER + LIPS_INNER
MOUTH = LIPS + JAW
EYES = EYE_RIGHT + EYE_LEFT + IRISES
FACE_POINTS = MOUTH + EYES + BROWS  # 40 + 18 + 42 + 20 = 120

MOUTH_SLICE = slice(0, len(MOUTH))
EYES_SLICE = slice(len(MOUTH), len(MOUTH) + len(EYES))
BROWS_SLICE = slice(len(MOUTH) + len(EYES), len(FACE_POINTS))

LIP_GAP = (13, 14)  # middle of the upper and of the lower lip's inner edge
OUTER_EYE_CORNERS = (33, 263)  # their distance is the unit of length of the head frame
LID_PAIRS = (((159, 145), (160, 144), (158, 153)), ((386, 374), (387, 373), (385, 380)))
"""Upper and lower lid of the right and of the left eye."""
LIP_GAP_ROWS = (FACE_POINTS.index(13), FACE_POINTS.index(14))
"""Rows of `FACE_POINTS` that hold `LIP_GAP`."""

# Points that expression hardly moves: forehead, temples, nose bridge, eye corners (for the head pose).
RIGID = (
    1, 3, 4, 5, 6, 8, 9, 10, 21, 33, 34, 51, 54, 67, 68, 69, 71, 103, 104, 108, 109, 122, 127, 133, 139, 143, 151,
    156, 162, 168, 174, 188, 193, 195, 196, 197, 245, 248, 251, 263, 264, 281, 284, 297, 298, 299, 301, 332, 333,
    337, 338, 351, 356, 362, 368, 372, 383, 389, 399, 412, 417, 419, 456, 465,
)  # fmt: skip
