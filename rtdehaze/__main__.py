"""`python -m rtdehaze`."""

from rtdehaze.cli.main import main

main()
