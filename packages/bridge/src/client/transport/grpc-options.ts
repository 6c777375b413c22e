/** How a client connects. Each setting differs from gRPC's default for the reason that stands with it. */
import type { ChannelOptions } from "@grpc/grpc-js";
import { LONGEST_REPLY_BYTES } from "./transport.js";

export const CHANNEL_OPTIONS: ChannelOptions = Object.freeze({
  // A dead connection is found out within 30 s, also while nothing is asked, so that the next call does not run into it.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 1,
  // A server that comes back is found soon; by default it would take up to two minutes.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  // How large a message may be is the server's setting, so it alone refuses requests, and its answers are taken.
  "grpc.max_send_message_length": -1,
  "grpc.max_receive_message_length": LONGEST_REPLY_BYTES,
  // Only this client knows which commands may be sent again, and under which request id.
  "grpc.enable_retries": 0,
  // No configuration is taken from the DNS.
  "grpc.service_config_disable_resolution": 1,
  // A bridge is a neighbour: a proxy for the web that the environment names does not lead to it.
  "grpc.enable_http_proxy": 0,
  "grpc.enable_channelz": 0,
});
