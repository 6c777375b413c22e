# The types of snakepit/bridge/v1/command.proto. Made by `npm run gen`: do not edit.
from . import errors_pb2 as _errors_pb2
from . import sessions_pb2 as _sessions_pb2
from . import variables_pb2 as _variables_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Command(_message.Message):
    __slots__ = ("ping", "create_session", "get_session", "list_sessions", "heartbeat", "delete_session", "register_variable", "ensure_variables", "get_variable", "get_variables", "set_variable", "set_variables", "increment_variable", "delete_variable", "list_variables", "get_variable_history")
    PING_FIELD_NUMBER: _ClassVar[int]
    CREATE_SESSION_FIELD_NUMBER: _ClassVar[int]
    GET_SESSION_FIELD_NUMBER: _ClassVar[int]
    LIST_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DELETE_SESSION_FIELD_NUMBER: _ClassVar[int]
    REGISTER_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    ENSURE_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    GET_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    GET_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    SET_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    SET_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    DELETE_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    LIST_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    GET_VARIABLE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    ping: _sessions_pb2.PingRequest
    create_session: _sessions_pb2.CreateSessionRequest
    get_session: _sessions_pb2.GetSessionRequest
    list_sessions: _sessions_pb2.ListSessionsRequest
    heartbeat: _sessions_pb2.HeartbeatRequest
    delete_session: _sessions_pb2.DeleteSessionRequest
    register_variable: _variables_pb2.RegisterVariableRequest
    ensure_variables: _variables_pb2.EnsureVariablesRequest
    get_variable: _variables_pb2.GetVariableRequest
    get_variables: _variables_pb2.GetVariablesRequest
    set_variable: _variables_pb2.SetVariableRequest
    set_variables: _variables_pb2.SetVariablesRequest
    increment_variable: _variables_pb2.IncrementVariableRequest
    delete_variable: _variables_pb2.DeleteVariableRequest
    list_variables: _variables_pb2.ListVariablesRequest
    get_variable_history: _variables_pb2.GetVariableHistoryRequest
    def __init__(self, ping: _Optional[_Union[_sessions_pb2.PingRequest, _Mapping]] = ..., create_session: _Optional[_Union[_sessions_pb2.CreateSessionRequest, _Mapping]] = ..., get_session: _Optional[_Union[_sessions_pb2.GetSessionRequest, _Mapping]] = ..., list_sessions: _Optional[_Union[_sessions_pb2.ListSessionsRequest, _Mapping]] = ..., heartbeat: _Optional[_Union[_sessions_pb2.HeartbeatRequest, _Mapping]] = ..., delete_session: _Optional[_Union[_sessions_pb2.DeleteSessionRequest, _Mapping]] = ..., register_variable: _Optional[_Union[_variables_pb2.RegisterVariableRequest, _Mapping]] = ..., ensure_variables: _Optional[_Union[_variables_pb2.EnsureVariablesRequest, _Mapping]] = ..., get_variable: _Optional[_Union[_variables_pb2.GetVariableRequest, _Mapping]] = ..., get_variables: _Optional[_Union[_variables_pb2.GetVariablesRequest, _Mapping]] = ..., set_variable: _Optional[_Union[_variables_pb2.SetVariableRequest, _Mapping]] = ..., set_variables: _Optional[_Union[_variables_pb2.SetVariablesRequest, _Mapping]] = ..., increment_variable: _Optional[_Union[_variables_pb2.IncrementVariableRequest, _Mapping]] = ..., delete_variable: _Optional[_Union[_variables_pb2.DeleteVariableRequest, _Mapping]] = ..., list_variables: _Optional[_Union[_variables_pb2.ListVariablesRequest, _Mapping]] = ..., get_variable_history: _Optional[_Union[_variables_pb2.GetVariableHistoryRequest, _Mapping]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("error", "ping", "create_session", "get_session", "list_sessions", "heartbeat", "delete_session", "register_variable", "ensure_variables", "get_variable", "get_variables", "set_variable", "set_variables", "increment_variable", "delete_variable", "list_variables", "get_variable_history")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    CREATE_SESSION_FIELD_NUMBER: _ClassVar[int]
    GET_SESSION_FIELD_NUMBER: _ClassVar[int]
    LIST_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DELETE_SESSION_FIELD_NUMBER: _ClassVar[int]
    REGISTER_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    ENSURE_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    GET_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    GET_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    SET_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    SET_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    DELETE_VARIABLE_FIELD_NUMBER: _ClassVar[int]
    LIST_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    GET_VARIABLE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    error: _errors_pb2.ErrorDetail
    ping: _sessions_pb2.PingResponse
    create_session: _sessions_pb2.CreateSessionResponse
    get_session: _sessions_pb2.GetSessionResponse
    list_sessions: _sessions_pb2.ListSessionsResponse
    heartbeat: _sessions_pb2.HeartbeatResponse
    delete_session: _sessions_pb2.DeleteSessionResponse
    register_variable: _variables_pb2.RegisterVariableResponse
    ensure_variables: _variables_pb2.EnsureVariablesResponse
    get_variable: _variables_pb2.GetVariableResponse
    get_variables: _variables_pb2.GetVariablesResponse
    set_variable: _variables_pb2.SetVariableResponse
    set_variables: _variables_pb2.SetVariablesResponse
    increment_variable: _variables_pb2.IncrementVariableResponse
    delete_variable: _variables_pb2.DeleteVariableResponse
    list_variables: _variables_pb2.ListVariablesResponse
    get_variable_history: _variables_pb2.GetVariableHistoryResponse
    def __init__(self, error: _Optional[_Union[_errors_pb2.ErrorDetail, _Mapping]] = ..., ping: _Optional[_Union[_sessions_pb2.PingResponse, _Mapping]] = ..., create_session: _Optional[_Union[_sessions_pb2.CreateSessionResponse, _Mapping]] = ..., get_session: _Optional[_Union[_sessions_pb2.GetSessionResponse, _Mapping]] = ..., list_sessions: _Optional[_Union[_sessions_pb2.ListSessionsResponse, _Mapping]] = ..., heartbeat: _Optional[_Union[_sessions_pb2.HeartbeatResponse, _Mapping]] = ..., delete_session: _Optional[_Union[_sessions_pb2.DeleteSessionResponse, _Mapping]] = ..., register_variable: _Optional[_Union[_variables_pb2.RegisterVariableResponse, _Mapping]] = ..., ensure_variables: _Optional[_Union[_variables_pb2.EnsureVariablesResponse, _Mapping]] = ..., get_variable: _Optional[_Union[_variables_pb2.GetVariableResponse, _Mapping]] = ..., get_variables: _Optional[_Union[_variables_pb2.GetVariablesResponse, _Mapping]] = ..., set_variable: _Optional[_Union[_variables_pb2.SetVariableResponse, _Mapping]] = ..., set_variables: _Optional[_Union[_variables_pb2.SetVariablesResponse, _Mapping]] = ..., increment_variable: _Optional[_Union[_variables_pb2.IncrementVariableResponse, _Mapping]] = ..., delete_variable: _Optional[_Union[_variables_pb2.DeleteVariableResponse, _Mapping]] = ..., list_variables: _Optional[_Union[_variables_pb2.ListVariablesResponse, _Mapping]] = ..., get_variable_history: _Optional[_Union[_variables_pb2.GetVariableHistoryResponse, _Mapping]] = ...) -> None: ...
