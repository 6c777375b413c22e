/** The arithmetic of worker.py, for its twin and for the check that what Python writes in one commit belongs together. */

/** Rosenbrock's function, with its minimum at (a, a²). */
export function rosenbrock(x: number, y: number, a: number): number {
  return (a - x) * (a - x) + 10 * (y - x * x) * (y - x * x);
}

function gradient(x: number, y: number, a: number): [number, number] {
  return [-2 * (a - x) - 40 * x * (y - x * x), 20 * (y - x * x)];
}

/** Kingma and Ba's method: each coordinate has its own step, scaled by the recent size of its gradient. */
export class Adam {
  x: number;
  y: number;
  steps = 0;
  readonly #mean: [number, number] = [0, 0];
  readonly #square: [number, number] = [0, 0];

  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }

  step(learningRate: number, target: number): void {
    this.steps++;
    const slopes = gradient(this.x, this.y, target);
    this.x -= this.#move(0, slopes[0], learningRate);
    this.y -= this.#move(1, slopes[1], learningRate);
  }

  #move(i: 0 | 1, slope: number, learningRate: number): number {
    this.#mean[i] = 0.9 * this.#mean[i] + 0.1 * slope;
    this.#square[i] = 0.99 * this.#square[i] + 0.01 * slope * slope;
    const mean = this.#mean[i] / (1 - 0.9 ** this.steps);
    const square = this.#square[i] / (1 - 0.99 ** this.steps);
    return (learningRate * mean) / (Math.sqrt(square) + 1e-8);
  }
}
