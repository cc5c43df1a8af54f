import re
from dataclasses import fields

import pytest

from locutor.capture.config import CaptureConfig
from locutor.cli.main import Capture, Demo, Eval, Export, Info, Revoke, Say, Train, Verify
from locutor.fit.config import TrainConfig
from locutor.provenance.config import MarkConfig


@pytest.mark.parametrize(
    "settings",
    [CaptureConfig, TrainConfig, Capture, Train, Say, Eval, Demo, Export, Info, Verify, Revoke, MarkConfig],
)
def test_every_setting_is_explained_on_a_line_of_its_own(settings):
    """The help is made of these lines; two settings on one line get no help at all."""
    for field in fields(settings):
        assert re.search(rf"^ +{field.name}: \w", settings.__doc__, re.MULTILINE), field.name
