"""`python -m loyalty` is `loyalty`."""

from loyalty.cli import main

main()
