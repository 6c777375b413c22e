# The types of snakepit/bridge/v1/errors.proto. Made by `npm run gen`: do not edit.
from . import values_pb2 as _values_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_SESSION_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_VARIABLE_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_VARIABLE_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_DEFINITION_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_TYPE_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_CONSTRAINT_VIOLATED: _ClassVar[ErrorReason]
    ERROR_REASON_BATCH_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_NAME: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_VALUE: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_CONSTRAINT: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_TYPE: _ClassVar[ErrorReason]
    ERROR_REASON_DUPLICATE_ITEM: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_METADATA: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_ARGUMENT: _ClassVar[ErrorReason]
    ERROR_REASON_VERSION_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_VARIABLES: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_SESSIONS: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_ITEMS: _ClassVar[ErrorReason]
    ERROR_REASON_DEADLINE_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_SHUTTING_DOWN: _ClassVar[ErrorReason]
    ERROR_REASON_OUTCOME_UNKNOWN: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
    ERROR_REASON_VERSION_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_HISTORY_COMPACTED: _ClassVar[ErrorReason]
    ERROR_REASON_WATCH_GAP: _ClassVar[ErrorReason]
    ERROR_REASON_WATCH_OVERFLOW: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_WATCHES: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_SESSION_NOT_FOUND: ErrorReason
ERROR_REASON_VARIABLE_NOT_FOUND: ErrorReason
ERROR_REASON_VARIABLE_EXISTS: ErrorReason
ERROR_REASON_DEFINITION_CONFLICT: ErrorReason
ERROR_REASON_TYPE_MISMATCH: ErrorReason
ERROR_REASON_CONSTRAINT_VIOLATED: ErrorReason
ERROR_REASON_BATCH_REFUSED: ErrorReason
ERROR_REASON_INVALID_NAME: ErrorReason
ERROR_REASON_INVALID_VALUE: ErrorReason
ERROR_REASON_INVALID_CONSTRAINT: ErrorReason
ERROR_REASON_UNKNOWN_TYPE: ErrorReason
ERROR_REASON_DUPLICATE_ITEM: ErrorReason
ERROR_REASON_INVALID_METADATA: ErrorReason
ERROR_REASON_INVALID_ARGUMENT: ErrorReason
ERROR_REASON_VERSION_CONFLICT: ErrorReason
ERROR_REASON_TOO_LARGE: ErrorReason
ERROR_REASON_TOO_MANY_VARIABLES: ErrorReason
ERROR_REASON_TOO_MANY_SESSIONS: ErrorReason
ERROR_REASON_TOO_MANY_ITEMS: ErrorReason
ERROR_REASON_DEADLINE_EXCEEDED: ErrorReason
ERROR_REASON_SHUTTING_DOWN: ErrorReason
ERROR_REASON_OUTCOME_UNKNOWN: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_VERSION_MISMATCH: ErrorReason
ERROR_REASON_HISTORY_COMPACTED: ErrorReason
ERROR_REASON_WATCH_GAP: ErrorReason
ERROR_REASON_WATCH_OVERFLOW: ErrorReason
ERROR_REASON_TOO_MANY_WATCHES: ErrorReason

class ErrorDetail(_message.Message):
    __slots__ = ("reason", "message", "session_id", "identifier", "type_mismatch", "constraint", "version_conflict", "limit", "batch", "invalid_field")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    TYPE_MISMATCH_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINT_FIELD_NUMBER: _ClassVar[int]
    VERSION_CONFLICT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    INVALID_FIELD_FIELD_NUMBER: _ClassVar[int]
    reason: ErrorReason
    message: str
    session_id: str
    identifier: str
    type_mismatch: TypeMismatch
    constraint: ConstraintFault
    version_conflict: VersionConflict
    limit: LimitExceeded
    batch: BatchRefused
    invalid_field: InvalidField
    def __init__(self, reason: _Optional[_Union[ErrorReason, str]] = ..., message: _Optional[str] = ..., session_id: _Optional[str] = ..., identifier: _Optional[str] = ..., type_mismatch: _Optional[_Union[TypeMismatch, _Mapping]] = ..., constraint: _Optional[_Union[ConstraintFault, _Mapping]] = ..., version_conflict: _Optional[_Union[VersionConflict, _Mapping]] = ..., limit: _Optional[_Union[LimitExceeded, _Mapping]] = ..., batch: _Optional[_Union[BatchRefused, _Mapping]] = ..., invalid_field: _Optional[_Union[InvalidField, _Mapping]] = ...) -> None: ...

class TypeMismatch(_message.Message):
    __slots__ = ("expected", "actual")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    expected: _values_pb2.VariableType
    actual: str
    def __init__(self, expected: _Optional[_Union[_values_pb2.VariableType, str]] = ..., actual: _Optional[str] = ...) -> None: ...

class ConstraintFault(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    def __init__(self, key: _Optional[str] = ...) -> None: ...

class VersionConflict(_message.Message):
    __slots__ = ("expected", "current")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    expected: int
    current: int
    def __init__(self, expected: _Optional[int] = ..., current: _Optional[int] = ...) -> None: ...

class LimitExceeded(_message.Message):
    __slots__ = ("setting", "limit", "actual")
    SETTING_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    setting: str
    limit: int
    actual: int
    def __init__(self, setting: _Optional[str] = ..., limit: _Optional[int] = ..., actual: _Optional[int] = ...) -> None: ...

class BatchRefused(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[ItemRefusal]
    def __init__(self, items: _Optional[_Iterable[_Union[ItemRefusal, _Mapping]]] = ...) -> None: ...

class ItemRefusal(_message.Message):
    __slots__ = ("index", "identifier", "error")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    index: int
    identifier: str
    error: ErrorDetail
    def __init__(self, index: _Optional[int] = ..., identifier: _Optional[str] = ..., error: _Optional[_Union[ErrorDetail, _Mapping]] = ...) -> None: ...

class InvalidField(_message.Message):
    __slots__ = ("field",)
    FIELD_FIELD_NUMBER: _ClassVar[int]
    field: str
    def __init__(self, field: _Optional[str] = ...) -> None: ...
