/** Reads certificates and keys, and says which file is wrong: a client without its certificate would be another client. */
import { readSmallBytes } from '../../src/util/smallFile.ts';
import { deciding, type Env, read, type SignalName, wrong } from './values.ts';

/** In PEM format. */
export interface TlsFiles {
  /** Whom to trust instead of those whom Node trusts. */
  readonly ca?: Buffer;
  readonly key?: Buffer;
  readonly cert?: Buffer;
}

/** @throws TelemetryConfigError for a file that can't be read or understood, and for half a pair. */
export function tlsFiles(env: Env, signal: SignalName): TlsFiles {
  const of = (what: string) => deciding(env, signal, what);
  const ca = certificate(env, of('CERTIFICATE'));
  const [keyName, certName] = [of('CLIENT_KEY'), of('CLIENT_CERTIFICATE')];
  const [key, cert] = [privateKey(env, keyName), certificate(env, certName)];
  if (key && !cert) wrong(keyName, env[keyName], `its certificate is missing: ${certName}`);
  if (cert && !key) wrong(certName, env[certName], `its key is missing: ${keyName}`);
  if (key && cert && !crypto().createPublicKey(key).equals(new (crypto().X509Certificate)(cert).publicKey))
    wrong(keyName, env[keyName], `it is not the key of the certificate in ${certName}`);
  return { ...(ca && { ca }), ...(key && { key }), ...(cert && { cert }) };
}

/** @throws TelemetryConfigError */
export function certificate(env: Env, name: string): Buffer | undefined {
  return file(env, name, 'certificate in PEM format', (pem) => new (crypto().X509Certificate)(pem));
}

/** @throws TelemetryConfigError */
export function privateKey(env: Env, name: string): Buffer | undefined {
  return file(env, name, 'private key in PEM format without a passphrase', (pem) => crypto().createPrivateKey(pem));
}

function file(env: Env, name: string, what: string, parse: (pem: Buffer) => unknown): Buffer | undefined {
  const path = read(env, name);
  if (path === undefined) return undefined;
  let pem: Buffer;
  try {
    pem = readSmallBytes(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return wrong(name, path, `it can't be read: ${code ?? message.replace(`${path} `, 'it ')}`);
  }
  try {
    parse(pem);
    return pem;
  } catch {
    return wrong(name, path, `there is no ${what}`);
  }
}

/** Loaded for those who have certificates: not before each command of `taut run`. */
const crypto = () => process.getBuiltinModule('node:crypto');
