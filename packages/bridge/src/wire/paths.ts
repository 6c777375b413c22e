/** Where the RPCs of the contract are, over HTTP of any version. */
import type { DescMethod } from "@bufbuild/protobuf";

export function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}
