"""`main.py operator`: NAMESPACE and IDENTITY say where and as whom. `main.py tour`: what else clients are asked to do."""

import os
import sys

from kubernetes import config

import widget_operator
from tour import Tour


def main() -> int:
    config.load_kube_config()
    namespace = os.environ["NAMESPACE"]
    if sys.argv[1] == "operator":
        return widget_operator.run(namespace, os.environ["IDENTITY"])
    if sys.argv[1] == "tour":
        return Tour(namespace, os.environ["EXPIRED"]).take()
    raise SystemExit(f"there is no {sys.argv[1]}")


if __name__ == "__main__":
    sys.exit(main())
