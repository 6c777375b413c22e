/** What every write says about itself, between the domain and the contract. */
import type { OnMissing, RequestId } from "../core/commands.js";
import type { RequestId as PbRequestId } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import { OnMissing as PbOnMissing } from "./gen/snakepit/bridge/v1/variables_pb.js";
import { requestIdFromProto, requestIdToProto } from "./points.js";
import { encodable, optional, unfitField } from "./unfit.js";

const ON_MISSING: Readonly<Record<OnMissing, PbOnMissing>> = {
  fail: PbOnMissing.FAIL,
  inferVariable: PbOnMissing.INFER_VARIABLE,
  infer: PbOnMissing.INFER,
};

export function onMissingToProto(onMissing: OnMissing): PbOnMissing {
  return ON_MISSING[onMissing];
}

export function onMissingFromProto(onMissing: PbOnMissing): OnMissing {
  switch (onMissing) {
    case PbOnMissing.UNSPECIFIED:
    case PbOnMissing.FAIL:
      return "fail";
    case PbOnMissing.INFER_VARIABLE:
      return "inferVariable";
    case PbOnMissing.INFER:
      return "infer";
    default:
      return unfitField("on_missing", `is ${onMissing}, which this bridge does not know`);
  }
}

/** Who writes, and for which request. */
interface Note<Id> {
  readonly requestId?: Id | undefined;
  readonly source?: string | undefined;
}

export function writeToProto({ requestId, source }: Note<RequestId>) {
  return {
    ...optional("requestId", requestId && requestIdToProto(requestId)),
    ...optional("source", source === undefined ? undefined : encodable(source, "source")),
  };
}

export function writeFromProto({ requestId, source }: Note<PbRequestId>) {
  return {
    ...optional("requestId", requestId && requestIdFromProto(requestId)),
    ...optional("source", source),
  };
}
