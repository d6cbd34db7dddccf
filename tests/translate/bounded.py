"""Settings of the property tests: the same examples in every run, and so few that all of them take seconds."""

from hypothesis import HealthCheck, settings

bounded = settings(
    derandomize=True,
    max_examples=75,
    deadline=None,  # the first example pays for the start of the validators
    suppress_health_check=[HealthCheck.too_slow],
)
