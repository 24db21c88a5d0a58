export { version } from '../native/package.ts';
