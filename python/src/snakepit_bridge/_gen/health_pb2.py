"""The messages of grpc/health/v1/health.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("grpc/health/v1/health.proto")

HealthCheckRequest = _pool.message("grpc.health.v1.HealthCheckRequest")
HealthCheckResponse = _pool.message("grpc.health.v1.HealthCheckResponse")
