# The types of snakepit/bridge/v1/variables.proto. Made by `npm run gen`: do not edit.
import datetime

from . import timestamp_pb2 as _timestamp_pb2
from . import errors_pb2 as _errors_pb2
from . import sessions_pb2 as _sessions_pb2
from . import state_pb2 as _state_pb2
from . import values_pb2 as _values_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OnMissing(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_MISSING_UNSPECIFIED: _ClassVar[OnMissing]
    ON_MISSING_FAIL: _ClassVar[OnMissing]
    ON_MISSING_INFER_VARIABLE: _ClassVar[OnMissing]
    ON_MISSING_INFER: _ClassVar[OnMissing]

class SessionEventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SESSION_EVENT_KIND_UNSPECIFIED: _ClassVar[SessionEventKind]
    SESSION_EVENT_KIND_CHANGED: _ClassVar[SessionEventKind]
    SESSION_EVENT_KIND_CREATED: _ClassVar[SessionEventKind]
    SESSION_EVENT_KIND_DELETED: _ClassVar[SessionEventKind]
    SESSION_EVENT_KIND_EXPIRED: _ClassVar[SessionEventKind]
ON_MISSING_UNSPECIFIED: OnMissing
ON_MISSING_FAIL: OnMissing
ON_MISSING_INFER_VARIABLE: OnMissing
ON_MISSING_INFER: OnMissing
SESSION_EVENT_KIND_UNSPECIFIED: SessionEventKind
SESSION_EVENT_KIND_CHANGED: SessionEventKind
SESSION_EVENT_KIND_CREATED: SessionEventKind
SESSION_EVENT_KIND_DELETED: SessionEventKind
SESSION_EVENT_KIND_EXPIRED: SessionEventKind

class RegisterVariableRequest(_message.Message):
    __slots__ = ("session_id", "definition", "on_missing", "request_id", "source")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    ON_MISSING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    definition: _values_pb2.Definition
    on_missing: OnMissing
    request_id: _sessions_pb2.RequestId
    source: str
    def __init__(self, session_id: _Optional[str] = ..., definition: _Optional[_Union[_values_pb2.Definition, _Mapping]] = ..., on_missing: _Optional[_Union[OnMissing, str]] = ..., request_id: _Optional[_Union[_sessions_pb2.RequestId, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class RegisterVariableResponse(_message.Message):
    __slots__ = ("variable", "revision")
    VARIABLE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    variable: _values_pb2.Variable
    revision: _values_pb2.Revision
    def __init__(self, variable: _Optional[_Union[_values_pb2.Variable, _Mapping]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class EnsureVariablesRequest(_message.Message):
    __slots__ = ("session_id", "definitions", "source")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    definitions: _containers.RepeatedCompositeFieldContainer[_values_pb2.Definition]
    source: str
    def __init__(self, session_id: _Optional[str] = ..., definitions: _Optional[_Iterable[_Union[_values_pb2.Definition, _Mapping]]] = ..., source: _Optional[str] = ...) -> None: ...

class EnsureVariablesResponse(_message.Message):
    __slots__ = ("variables", "revision")
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    variables: _containers.RepeatedCompositeFieldContainer[_values_pb2.Variable]
    revision: _values_pb2.Revision
    def __init__(self, variables: _Optional[_Iterable[_Union[_values_pb2.Variable, _Mapping]]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class GetVariableRequest(_message.Message):
    __slots__ = ("session_id", "identifier")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    identifier: str
    def __init__(self, session_id: _Optional[str] = ..., identifier: _Optional[str] = ...) -> None: ...

class GetVariableResponse(_message.Message):
    __slots__ = ("variable", "revision")
    VARIABLE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    variable: _values_pb2.Variable
    revision: _values_pb2.Revision
    def __init__(self, variable: _Optional[_Union[_values_pb2.Variable, _Mapping]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class GetVariablesRequest(_message.Message):
    __slots__ = ("session_id", "identifiers")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    identifiers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_id: _Optional[str] = ..., identifiers: _Optional[_Iterable[str]] = ...) -> None: ...

class GetVariablesResponse(_message.Message):
    __slots__ = ("found", "missing", "revision")
    FOUND_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    found: _containers.RepeatedCompositeFieldContainer[FoundVariable]
    missing: _containers.RepeatedScalarFieldContainer[str]
    revision: _values_pb2.Revision
    def __init__(self, found: _Optional[_Iterable[_Union[FoundVariable, _Mapping]]] = ..., missing: _Optional[_Iterable[str]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class FoundVariable(_message.Message):
    __slots__ = ("identifier", "variable")
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_FIELD_NUMBER: _ClassVar[int]
    identifier: str
    variable: _values_pb2.Variable
    def __init__(self, identifier: _Optional[str] = ..., variable: _Optional[_Union[_values_pb2.Variable, _Mapping]] = ...) -> None: ...

class SetVariableRequest(_message.Message):
    __slots__ = ("session_id", "item", "on_missing", "metadata", "request_id", "source")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ON_MISSING_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    item: SetItem
    on_missing: OnMissing
    metadata: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetadataEntry]
    request_id: _sessions_pb2.RequestId
    source: str
    def __init__(self, session_id: _Optional[str] = ..., item: _Optional[_Union[SetItem, _Mapping]] = ..., on_missing: _Optional[_Union[OnMissing, str]] = ..., metadata: _Optional[_Iterable[_Union[_values_pb2.MetadataEntry, _Mapping]]] = ..., request_id: _Optional[_Union[_sessions_pb2.RequestId, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class SetItem(_message.Message):
    __slots__ = ("identifier", "value", "expected_version")
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    identifier: str
    value: _values_pb2.Value
    expected_version: int
    def __init__(self, identifier: _Optional[str] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class SetVariableResponse(_message.Message):
    __slots__ = ("item", "revision")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    item: ItemSet
    revision: _values_pb2.Revision
    def __init__(self, item: _Optional[_Union[ItemSet, _Mapping]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class ItemSet(_message.Message):
    __slots__ = ("id", "version", "value", "type")
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: int
    value: _values_pb2.Value
    type: _values_pb2.VariableType
    def __init__(self, id: _Optional[str] = ..., version: _Optional[int] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., type: _Optional[_Union[_values_pb2.VariableType, str]] = ...) -> None: ...

class SetVariablesRequest(_message.Message):
    __slots__ = ("session_id", "items", "atomic", "on_missing", "metadata", "request_id", "source")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    ATOMIC_FIELD_NUMBER: _ClassVar[int]
    ON_MISSING_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    items: _containers.RepeatedCompositeFieldContainer[SetItem]
    atomic: bool
    on_missing: OnMissing
    metadata: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetadataEntry]
    request_id: _sessions_pb2.RequestId
    source: str
    def __init__(self, session_id: _Optional[str] = ..., items: _Optional[_Iterable[_Union[SetItem, _Mapping]]] = ..., atomic: _Optional[bool] = ..., on_missing: _Optional[_Union[OnMissing, str]] = ..., metadata: _Optional[_Iterable[_Union[_values_pb2.MetadataEntry, _Mapping]]] = ..., request_id: _Optional[_Union[_sessions_pb2.RequestId, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class SetVariablesResponse(_message.Message):
    __slots__ = ("results", "revision")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ItemResult]
    revision: _values_pb2.Revision
    def __init__(self, results: _Optional[_Iterable[_Union[ItemResult, _Mapping]]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class ItemResult(_message.Message):
    __slots__ = ("set", "error")
    SET_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    set: ItemSet
    error: _errors_pb2.ErrorDetail
    def __init__(self, set: _Optional[_Union[ItemSet, _Mapping]] = ..., error: _Optional[_Union[_errors_pb2.ErrorDetail, _Mapping]] = ...) -> None: ...

class IncrementVariableRequest(_message.Message):
    __slots__ = ("session_id", "identifier", "by", "on_missing", "metadata", "request_id", "source")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    ON_MISSING_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    identifier: str
    by: _values_pb2.Value
    on_missing: OnMissing
    metadata: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetadataEntry]
    request_id: _sessions_pb2.RequestId
    source: str
    def __init__(self, session_id: _Optional[str] = ..., identifier: _Optional[str] = ..., by: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., on_missing: _Optional[_Union[OnMissing, str]] = ..., metadata: _Optional[_Iterable[_Union[_values_pb2.MetadataEntry, _Mapping]]] = ..., request_id: _Optional[_Union[_sessions_pb2.RequestId, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class IncrementVariableResponse(_message.Message):
    __slots__ = ("item", "revision")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    item: ItemSet
    revision: _values_pb2.Revision
    def __init__(self, item: _Optional[_Union[ItemSet, _Mapping]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class DeleteVariableRequest(_message.Message):
    __slots__ = ("session_id", "identifier", "request_id", "source")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    identifier: str
    request_id: _sessions_pb2.RequestId
    source: str
    def __init__(self, session_id: _Optional[str] = ..., identifier: _Optional[str] = ..., request_id: _Optional[_Union[_sessions_pb2.RequestId, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class DeleteVariableResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: _values_pb2.Revision
    def __init__(self, revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class ListVariablesRequest(_message.Message):
    __slots__ = ("session_id", "glob", "type", "source", "page_size", "page_token")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    GLOB_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    glob: str
    type: _values_pb2.VariableType
    source: str
    page_size: int
    page_token: str
    def __init__(self, session_id: _Optional[str] = ..., glob: _Optional[str] = ..., type: _Optional[_Union[_values_pb2.VariableType, str]] = ..., source: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVariablesResponse(_message.Message):
    __slots__ = ("variables", "next_page_token", "revision")
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    variables: _containers.RepeatedCompositeFieldContainer[_values_pb2.Variable]
    next_page_token: str
    revision: _values_pb2.Revision
    def __init__(self, variables: _Optional[_Iterable[_Union[_values_pb2.Variable, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class GetVariableHistoryRequest(_message.Message):
    __slots__ = ("session_id", "identifier", "limit")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    identifier: str
    limit: int
    def __init__(self, session_id: _Optional[str] = ..., identifier: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class GetVariableHistoryResponse(_message.Message):
    __slots__ = ("id", "entries", "compacted", "revision")
    ID_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    COMPACTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    id: str
    entries: _containers.RepeatedCompositeFieldContainer[HistoryEntry]
    compacted: bool
    revision: _values_pb2.Revision
    def __init__(self, id: _Optional[str] = ..., entries: _Optional[_Iterable[_Union[HistoryEntry, _Mapping]]] = ..., compacted: _Optional[bool] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ...) -> None: ...

class HistoryEntry(_message.Message):
    __slots__ = ("version", "value", "revision", "set_at", "source", "metadata", "type")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SET_AT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    version: int
    value: _values_pb2.Value
    revision: int
    set_at: _timestamp_pb2.Timestamp
    source: str
    metadata: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetadataEntry]
    type: _values_pb2.VariableType
    def __init__(self, version: _Optional[int] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ..., revision: _Optional[int] = ..., set_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ..., metadata: _Optional[_Iterable[_Union[_values_pb2.MetadataEntry, _Mapping]]] = ..., type: _Optional[_Union[_values_pb2.VariableType, str]] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("session_id", "names", "glob", "after", "passive")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    GLOB_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    PASSIVE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    names: _containers.RepeatedScalarFieldContainer[str]
    glob: str
    after: _values_pb2.Revision
    passive: bool
    def __init__(self, session_id: _Optional[str] = ..., names: _Optional[_Iterable[str]] = ..., glob: _Optional[str] = ..., after: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ..., passive: _Optional[bool] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("bookmark", "event")
    BOOKMARK_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    bookmark: _values_pb2.Revision
    event: SessionEvent
    def __init__(self, bookmark: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ..., event: _Optional[_Union[SessionEvent, _Mapping]] = ...) -> None: ...

class SessionEvent(_message.Message):
    __slots__ = ("session_id", "revision", "kind", "source", "committed_at", "metadata", "changes")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    revision: _values_pb2.Revision
    kind: SessionEventKind
    source: str
    committed_at: _timestamp_pb2.Timestamp
    metadata: _containers.RepeatedCompositeFieldContainer[_values_pb2.MetadataEntry]
    changes: _containers.RepeatedCompositeFieldContainer[VariableChange]
    def __init__(self, session_id: _Optional[str] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ..., kind: _Optional[_Union[SessionEventKind, str]] = ..., source: _Optional[str] = ..., committed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., metadata: _Optional[_Iterable[_Union[_values_pb2.MetadataEntry, _Mapping]]] = ..., changes: _Optional[_Iterable[_Union[VariableChange, _Mapping]]] = ...) -> None: ...

class VariableChange(_message.Message):
    __slots__ = ("name", "id", "before", "after")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    before: VariableAt
    after: VariableAt
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., before: _Optional[_Union[VariableAt, _Mapping]] = ..., after: _Optional[_Union[VariableAt, _Mapping]] = ...) -> None: ...

class VariableAt(_message.Message):
    __slots__ = ("version", "type", "value")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    version: int
    type: _values_pb2.VariableType
    value: _values_pb2.Value
    def __init__(self, version: _Optional[int] = ..., type: _Optional[_Union[_values_pb2.VariableType, str]] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ...) -> None: ...
