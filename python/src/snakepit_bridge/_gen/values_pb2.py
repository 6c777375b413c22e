"""The messages of snakepit/bridge/v1/values.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("snakepit/bridge/v1/values.proto")

VariableType = _pool.enum("snakepit.bridge.v1.VariableType")
VARIABLE_TYPE_UNSPECIFIED = 0
VARIABLE_TYPE_FLOAT = 1
VARIABLE_TYPE_INTEGER = 2
VARIABLE_TYPE_STRING = 3
VARIABLE_TYPE_BOOLEAN = 4
VARIABLE_TYPE_CHOICE = 5
VARIABLE_TYPE_JSON = 6

Value = _pool.message("snakepit.bridge.v1.Value")
Constraint = _pool.message("snakepit.bridge.v1.Constraint")
MetadataEntry = _pool.message("snakepit.bridge.v1.MetadataEntry")
Variable = _pool.message("snakepit.bridge.v1.Variable")
Definition = _pool.message("snakepit.bridge.v1.Definition")
Revision = _pool.message("snakepit.bridge.v1.Revision")
