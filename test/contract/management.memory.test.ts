// The management API over the memory store.
import { managementContract } from './management.contract.js';

managementContract('the API over the memory store', () => ({ driver: 'memory:', clear: async () => undefined }));
