// Owns: serverError, which makes the errors of the server's own table.

import { PlasmaError, type PlasmaErrorData } from "../core/error.ts";
import { serverErrors } from "../core/server-errors.ts";

export function serverError<C extends keyof typeof serverErrors>(
  code: C,
  data: PlasmaErrorData<C>,
  options: ErrorOptions = {},
): PlasmaError<C> {
  const text = (serverErrors[code] as (d: PlasmaErrorData<C>) => string)(data);
  return new PlasmaError(code, data, { ...options, text });
}
