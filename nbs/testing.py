"What the notebooks' tests share, and the package does not need."
from contextlib import contextmanager


@contextmanager
def expect_error(
    kind: type[BaseException],  # the exception that must be raised
    *fragments: str,  # each must occur in its message
):
    "Assert that the body raises `kind` with a message that holds every one of `fragments`."
    try:
        yield
    except kind as error:
        missing = [part for part in fragments if part not in str(error)]
        assert not missing, f"the message does not name {missing}: {error}"
        return
    raise AssertionError(f"no {kind.__name__} was raised")
