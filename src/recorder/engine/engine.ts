/** What an engine has to know of a camera to record it. */
export interface EngineSource {
  readonly camera: string;
  /** RTSP address without credentials. */
  readonly url: string;
  readonly credentials: Credentials | undefined;
  readonly transport: 'TCP' | 'UDP';
  readonly connectTimeoutSeconds: number;
  readonly audio: boolean;
  readonly segmentSeconds: number;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Why a recording ended or did not begin; decides when it is tried again and whose fault it is. */
export type FailureKind =
  /** 401 or 403. Cameras ban clients that come back too soon. */
  | 'unauthorized'
  /** 453 or 503: the camera has no session left, perhaps because it still keeps one of a dead recorder. */
  | 'sessionLimit'
  /** The camera's port is closed. */
  | 'refused'
  /** 404. */
  | 'notFound'
  /** No way to the camera, or no answer in time. */
  | 'unreachable'
  /** The camera closed the connection or fell silent. */
  | 'ended'
  /** The stream's format was not understood; more probing may help. */
  | 'format'
  /** The Secret with the camera's login can't be read. */
  | 'credentials'
  /** The footage volume refused. */
  | 'storage'
  /** The engine itself is broken: missing, crashing, wrong options. */
  | 'engine';

export interface Failure {
  readonly kind: FailureKind;
  /** One sentence without credentials, for people. */
  readonly message: string;
}

/** How an engine process came to its end. Any end is a failure, unless it was asked to stop. */
export interface RecordingEnd {
  readonly failure: Failure;
  /** Milliseconds it lived. */
  readonly livedMs: number;
}

/** A recording under way. */
export interface EngineRecording {
  /** Asks for an orderly end, so that the camera's session is freed, and forces it after a while. */
  stop(): void;
  /** Resolves once, when nothing writes any more. */
  readonly ended: Promise<RecordingEnd>;
}

/** The result of the engine's test of itself. */
export type EngineCheck = { ok: true; version: string } | { ok: false; message: string };

/** Records cameras into folders of segments. One implementation per recording program. */
export interface Engine {
  readonly name: string;
  /** Tries the whole way of footage locally, without a camera: the program, its options, the scratch folder. */
  check(): Promise<EngineCheck>;
  /**
   * Begins to write segments named by UTC second into a folder that exists. `attempt` counts from 0 since the last
   * failure of kind `format` and lets the engine probe the stream more thoroughly.
   * Throws when no process can be started.
   */
  record(source: EngineSource, folder: string, attempt: number): EngineRecording;
}
