import enum
from typing import List

LIMIT = 12
Names = List[str]
hidden = "h"
_private = 1


class Level(enum.Enum):
    LOW = "l"
    HIGH = "h"
