__all__ = ["SHOWN"]
SHOWN = 1
NOT_SHOWN = 2
int = str
