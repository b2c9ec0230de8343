// The management API over Redis.
import { afterAll, beforeAll } from 'vitest';
import { startRedis, type TestRedis } from '../helpers/redis.js';
import { managementContract } from './management.contract.js';

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

managementContract('the API over Redis', () => ({
  driver: redis.url,
  clear: async () => void (await redis.client.flushall()),
}));
