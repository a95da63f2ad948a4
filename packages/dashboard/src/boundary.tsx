/** A fault in one panel must not take the others with it: it is said in words where the panel was. */
import { Component, type ReactNode } from 'react'

type Props = { what: string; children: ReactNode }

export class Boundary extends Component<Props, { message?: string }> {
  override state: { message?: string } = {}

  static getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) }
  }

  override render(): ReactNode {
    if (this.state.message === undefined) return this.props.children
    return (
      <div role="alert" className="note">
        <div>
          <p className="text-bright">{this.props.what} has a fault and cannot be shown.</p>
          <p className="mt-1 font-mono text-xs">{this.state.message}</p>
          <button
            type="button"
            className="chip mt-3 border border-edge"
            onClick={() => this.setState({}, () => location.reload())}
          >
            Load the page again
          </button>
        </div>
      </div>
    )
  }
}
