import importlib.metadata
from importlib.resources import files

import ferrous_wheel
from ferrous_wheel import _core


def test_the_version_is_that_of_the_installed_distribution() -> None:
    assert ferrous_wheel.__version__ == importlib.metadata.version("ferrous-wheel")


def test_the_package_says_that_it_is_typed() -> None:
    assert files(ferrous_wheel).joinpath("py.typed").is_file()
    assert files(ferrous_wheel).joinpath("_core.pyi").is_file()


def test_everything_public_of_the_native_module_is_public_in_the_package() -> None:
    native = {name for name in dir(_core) if not name.startswith("_")}
    assert native - {"BUILD_PROFILE"} == set(ferrous_wheel.__all__) & native
    assert native <= {*ferrous_wheel.__all__, "BUILD_PROFILE"}


def test_the_build_says_what_it_is() -> None:
    assert _core.BUILD_PROFILE in {"debug", "release"}
