import { expect } from 'chai';
import { ConfigError, readOperatorConfig } from '../../src/operator-config.js';

const inPod = () => 'system\n';
const outside = () => {
  throw new Error('no such file');
};

describe('the configuration of the operator', () => {
  it('needs nothing but the image in a pod', () => {
    expect(
      readOperatorConfig({ UNDERSTUDY_IMAGE: 'u:1', UNDERSTUDY_POD_NAME: 'op-1', UNDERSTUDY_LOG_LEVEL: '' }, inPod),
    ).to.deep.equal({
      image: 'u:1',
      imagePullPolicy: 'IfNotPresent',
      namespace: 'system',
      identity: 'op-1',
      watchNamespaces: [],
      healthPort: 8081,
      logLevel: 'info',
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
    });
  });

  it('reads namespaces from a list, each once', () => {
    const config = readOperatorConfig({ UNDERSTUDY_IMAGE: 'u', UNDERSTUDY_WATCH_NAMESPACES: 'a, b,,a' }, inPod);
    expect(config.watchNamespaces).to.deep.equal(['a', 'b']);
  });

  it('names everything that is wrong at once, and what it may be', () => {
    const wrong = {
      UNDERSTUDY_HEALTH_PORT: 'http',
      UNDERSTUDY_LOG_LEVEL: 'loud',
      UNDERSTUDY_WATCH_NAMESPACES: 'A_b',
      UNDERSTUDY_RENEW_DEADLINE_SECONDS: '20',
    };
    const read = () => readOperatorConfig(wrong, outside);
    expect(read).to.throw(ConfigError);
    for (const name of [...Object.keys(wrong), 'UNDERSTUDY_IMAGE', 'UNDERSTUDY_NAMESPACE'])
      expect(read, name).to.throw(name);
    expect(read).to.throw("'loud'; it must be one of fatal, error, warn");
  });
});
