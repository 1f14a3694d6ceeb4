VALUE = "stamped-by-a-package"
