/** What makes a control message unacceptable, whatever the state (RFC 2661 sections 4.1, 4.2 and 7.1). */
import { avpDefinition } from './avp-table.ts';
import type { MessageBody } from './control-message.ts';
import type { CloseCause } from './endpoint-types.ts';
import type { MessageDefinition } from './message-table.ts';
import { GeneralError, StopResult } from './result-code.ts';

/**
 * Why the message must end its session or tunnel, as the cause to be sent; `undefined` when nothing is wrong with it.
 *
 * An unknown AVP counts only with the M bit. A known AVP that cannot be read counts when both the table and the sender
 * call it mandatory; otherwise it is as if it were not there. A required AVP that is not there always counts.
 */
export function findProblem(body: MessageBody, definition: MessageDefinition): CloseCause | undefined {
  for (const avp of body.avps) {
    if (!avp.mandatory) continue;
    if (avp.key === undefined) {
      return generalError(
        GeneralError.unknownMandatoryAvp,
        `unknown mandatory AVP: vendor ${avp.vendor}, attribute type ${avp.type}`,
      );
    }
    if (avp.fault !== undefined && avpDefinition(avp.key).mandatory) {
      return generalError(avp.fault.errorCode, avp.fault.words);
    }
  }
  for (const key of definition.required) {
    if (body.fields[key] !== undefined) continue;
    const fault = body.avps.find((avp) => avp.key === key)?.fault;
    const words = fault?.words ?? `${definition.title} without ${avpDefinition(key).name}`;
    return generalError(fault?.errorCode ?? GeneralError.range, words);
  }
  return undefined;
}

/** Result code 2 means "general error" in StopCCN and in CDN alike. */
export function generalError(errorCode: number, message: string): CloseCause {
  return { resultCode: StopResult.generalError, errorCode, message };
}
