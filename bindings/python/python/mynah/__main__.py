"""`python -m mynah` is the command `mynah`."""

import sys

from mynah._command import main

if __name__ == "__main__":
    sys.argv[0] = "mynah"
    sys.exit(main())
