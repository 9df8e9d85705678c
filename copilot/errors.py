"""What can go wrong, and who should read about it. HTTP numbers live in `api/errors.py` alone.

CopilotError
├── InputError               the caller sent something that cannot be used
│   ├── EmptyMessage         nothing to answer
│   ├── NeedsModel           only a language model can do it, and none is configured
│   ├── TooLarge             above a limit of the settings
│   └── UnreadableFile       a file that its parser refuses, with the reason
│       └── Overrun          a file whose parser died or went beyond its bounds
├── NotKnowledge             a record that is deliberately left out of the index (unsolved, spam), with the reason
├── NotFound                 no such thing in the caller's workspace
├── NotAllowed               the caller's role or team may not do this
├── Conflict                 the same key with another body, or a change under one's feet
│   └── MassDeletion         a sync would retire more than it may without being told to
├── Cancelled                a job was told to stop; what it committed stays, and it can be resumed
├── SourceFailed             a source did not answer, refused, or sent what cannot be read
│   ├── Refused              it is there, and refused one request or answered it with something else
│   └── ForbiddenAddress     the address leads into the server's own network
├── DrafterFailed            the configured model was slow, garbled or absent (the extractive draft steps in)
├── IndexesOwned             another process owns the indexes of this COPILOT_HOME
├── StorageFailed            the disk is full or fails: nothing is half, and it works again when there is room
├── IndexBroken              an index cannot be opened or read; repair makes it again from the database
├── IndexMismatch            the index was made by another embedder: vectors of two makers are never mixed
└── ConfigurationError       the operator's settings, model files or policy are wrong
"""


class CopilotError(Exception):
    """The root: its message says what happened and what to do next."""


class InputError(CopilotError):
    """The caller sent something that cannot be used."""


class EmptyMessage(InputError):
    """There is nothing to answer."""


class TooLarge(InputError):
    """The input is above a limit of the settings."""


class NeedsModel(InputError):
    """Only a language model can do this, and none is configured."""


class UnreadableFile(InputError):
    """A file's parser refused it."""


class Overrun(UnreadableFile):
    """A file's parser died or went beyond its bounds: after two tries the file is set aside until it changes."""


class NotKnowledge(CopilotError):
    """A record is deliberately left out of the index."""


class NotFound(CopilotError):
    """No such thing in the caller's workspace."""


class NotAllowed(CopilotError):
    """The caller's role or team may not do this."""


class Conflict(CopilotError):
    """The request contradicts an earlier one."""


class MassDeletion(Conflict):
    """A sync would retire more than it may without being told to."""


class Cancelled(CopilotError):
    """A job was told to stop."""


class SourceFailed(CopilotError):
    """A source did not answer, refused, or sent what cannot be read."""


class Refused(SourceFailed):
    """A source is there, and refused one request or answered it with something else: of a document's own, that document fails alone.

    `missing` if it said that there is no such thing.
    """

    def __init__(self, message: str, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


class ForbiddenAddress(SourceFailed):
    """The address leads into the server's own network."""


class DrafterFailed(CopilotError):
    """The configured model was slow, garbled or absent."""


class IndexesOwned(CopilotError):
    """Another process owns the indexes of this COPILOT_HOME."""


class StorageFailed(CopilotError):
    """The disk is full or fails."""


class IndexBroken(CopilotError):
    """An index cannot be opened or read."""


class IndexMismatch(CopilotError):
    """The index was made by another embedder."""


class ConfigurationError(CopilotError):
    """The operator's settings, model files or policy are wrong."""
