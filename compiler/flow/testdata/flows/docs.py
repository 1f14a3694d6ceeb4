from prefect import flow


@flow
def plain(a, b):
    """Summary.

    Args:
        a: First.
        b: Second
            goes on.

            And on.
    """


@flow
def empty(a):
    """"""


@flow
def empty_description(a, b):
    """S.

    Args:
        a:
        b:   
    """


@flow
def tabs(a, b):
    """Summary.

	Args:
		a: With tabs.
		b: Too
			deep.
	"""


@flow
def fenced(a):
    """Summary.

    ```
    Args:
        a: In a fence.
    ```

    Params:
        a: Outside.
    """


@flow
def twice(a, b):
    """Summary.

    Args:
        a: First.

    Arguments:
        b: Second.
    """


@flow
def notes(a):
    """Summary.

    Note: something
        indented text
        Args: x

    Example:
        >>> Args:

    Args:
        a (int, optional): Last. With: colons (and more).
    """


@flow
def crowded(a, b):
    """Summary.

    Args:
        a: First.
    Returns:
        b: Not a parameter.
    """


@flow
def uneven(a, b, c):
    """Summary.

    Args:
      a: First
       three
      b : x
      c(x): y
    """


@flow
def two_blank(a):
    """Summary.


    Args:


        a: After two blank lines.
    """


@flow
def not_indented(a):
    """Summary.

    Args:
    a: Not indented.

        b: x
    """


@flow
def raw(a):
    r"""Raw \n docstring.

    Args:
        a: with \t.
    """


@flow
def escaped(a):
    """One\ttab.\n\nArgs:\n    a: From escapes.\n"""


@flow
def joined(a):
    "One " "string.\n\nArgs:\n    a: Joined."


@flow
def formatted(a):
    f"""Not a docstring {a}."""


@flow
def by_bytes(a):
    b"""Not a docstring."""


@flow
def comment_first(a):
    # a comment
    """Still the docstring."""


@flow
def expression(a):
    "not " + "one"


@flow
def unicode(größe):
    """Groß.

    Args:
        größe: Wie groß „es“ ist.
    """


@flow(description="Given.")
def described(a):
    """Own.

    Args:
        a: Read even so.
    """


@flow(description="")
def described_empty():
    """Own."""


@flow
def one_line(a): "A docstring on the line."; pass


@flow
def trailing_blank(a):
    """   Leading blanks.   

       Deeper.
    Less.   
    """


@flow
def starred(*args, **kwargs):
    """S.

    Args:
        *args: all
        **kwargs: more
    """


@flow
def wide_blanks(a, b):
    """Summary.

    Args:
      a: After wide blanks.
      b: After others.
     
      More.
    """
