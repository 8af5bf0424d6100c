import type { ResultCode } from '../../protocol/l2tp/avp-value.ts';
import { meantResultCode, type ResultBearer } from '../../protocol/l2tp/result-code.ts';
import type { DecodedMessage } from '../decode/decoded.ts';
import { isFields, listOf, namedValue, numberOf, textOf } from './fields.ts';

/** The Result Code AVP of a decoded StopCCN or CDN. */
export function resultOf({ fields }: DecodedMessage, bearer: ResultBearer): ResultCode | undefined {
  const value = namedValue(listOf(fields, 'avps'), 'Result Code');
  if (!isFields(value)) return undefined;
  const code = numberOf(value, 'resultCode');
  if (code === undefined) return undefined;
  const resultCode = meantResultCode(bearer, code);
  const errorCode = numberOf(value, 'errorCode');
  const message = textOf(value, 'message');
  if (errorCode === undefined) return { resultCode };
  return message === '' ? { resultCode, errorCode } : { resultCode, errorCode, message };
}
