"""From a film to a performance: face, head pose, torso, mattes, plate."""
