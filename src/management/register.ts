// POST /register: dynamic-reverse-proxy's protocol, for programs of this machine alone.
import type { Express, Request, Response } from 'express';
import { answerRegistered, type RegisterRefusal, readRegistration, refusals } from '../library/register-request.js';
import type { Logger } from '../observe/logger.js';
import { registerRoute } from './operations/register.js';
import type { Workspace } from './workspace.js';

/** What a proxy in front adds: its client is not of this machine, though the connection is. */
const passedOn = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip'];

/** Needs no token: who may is decided by the address of the socket. */
export function serveRegister(app: Express, workspace: Omit<Workspace, 'author'>, logger: Logger): void {
  app.all(/^\/register$/i, async (request: Request, response: Response) => {
    const strange = passedOn.some((name) => request.headers[name] !== undefined) || request.headers.origin !== undefined;
    const read = strange ? ('FORBIDDEN' as const) : await readRegistration(request, 'localhost');
    if (read === null) return;
    if (typeof read === 'string') {
      if (read === 'FORBIDDEN') logger.warn('A registration was refused', { from: request.socket.remoteAddress });
      refuse(response, read);
      return;
    }
    try {
      await registerRoute({ ...workspace, author: { name: 'register', address: '127.0.0.1' } }, read);
    } catch (error) {
      logger.error('A registration was not written', { error });
      refuse(response, 'STORE_AWAY');
      return;
    }
    answerRegistered(response, read);
  });
}

function refuse(response: Response, why: RegisterRefusal): void {
  response.statusCode = refusals[why];
  if (why === 'BODY_TOO_LARGE') response.setHeader('Connection', 'close');
  response.end();
}
