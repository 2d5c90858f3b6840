"""``python -m service.cli`` is the command ``argbest``."""

from service.cli import main

if __name__ == "__main__":
    main(prog_name="argbest")
