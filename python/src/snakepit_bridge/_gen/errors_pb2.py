"""The messages of snakepit/bridge/v1/errors.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("snakepit/bridge/v1/errors.proto")

ErrorReason = _pool.enum("snakepit.bridge.v1.ErrorReason")
ERROR_REASON_UNSPECIFIED = 0
ERROR_REASON_SESSION_NOT_FOUND = 1
ERROR_REASON_VARIABLE_NOT_FOUND = 2
ERROR_REASON_VARIABLE_EXISTS = 3
ERROR_REASON_DEFINITION_CONFLICT = 4
ERROR_REASON_TYPE_MISMATCH = 5
ERROR_REASON_CONSTRAINT_VIOLATED = 6
ERROR_REASON_BATCH_REFUSED = 7
ERROR_REASON_INVALID_NAME = 8
ERROR_REASON_INVALID_VALUE = 9
ERROR_REASON_INVALID_CONSTRAINT = 10
ERROR_REASON_UNKNOWN_TYPE = 11
ERROR_REASON_DUPLICATE_ITEM = 12
ERROR_REASON_INVALID_METADATA = 13
ERROR_REASON_INVALID_ARGUMENT = 14
ERROR_REASON_VERSION_CONFLICT = 15
ERROR_REASON_TOO_LARGE = 16
ERROR_REASON_TOO_MANY_VARIABLES = 17
ERROR_REASON_TOO_MANY_SESSIONS = 18
ERROR_REASON_TOO_MANY_ITEMS = 19
ERROR_REASON_DEADLINE_EXCEEDED = 20
ERROR_REASON_SHUTTING_DOWN = 21
ERROR_REASON_OUTCOME_UNKNOWN = 22
ERROR_REASON_INTERNAL = 23
ERROR_REASON_VERSION_MISMATCH = 24
ERROR_REASON_HISTORY_COMPACTED = 25
ERROR_REASON_WATCH_GAP = 26
ERROR_REASON_WATCH_OVERFLOW = 27
ERROR_REASON_TOO_MANY_WATCHES = 28

ErrorDetail = _pool.message("snakepit.bridge.v1.ErrorDetail")
TypeMismatch = _pool.message("snakepit.bridge.v1.TypeMismatch")
ConstraintFault = _pool.message("snakepit.bridge.v1.ConstraintFault")
VersionConflict = _pool.message("snakepit.bridge.v1.VersionConflict")
LimitExceeded = _pool.message("snakepit.bridge.v1.LimitExceeded")
BatchRefused = _pool.message("snakepit.bridge.v1.BatchRefused")
ItemRefusal = _pool.message("snakepit.bridge.v1.ItemRefusal")
InvalidField = _pool.message("snakepit.bridge.v1.InvalidField")
