"""`python -m sportello`: the command, where no script of it is installed."""

from sportello.starting import main

if __name__ == "__main__":
    main()
