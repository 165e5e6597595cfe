// Owns: RowMap, values by table and row id. It is also the `Overlay` that the query runtime reads through.

export class RowMap<V> {
  readonly tables = new Map<string, Map<string, V>>();

  get(table: string, id: string): V | undefined {
    return this.tables.get(table)?.get(id);
  }

  has(table: string, id: string): boolean {
    return this.tables.get(table)?.has(id) ?? false;
  }

  set(table: string, id: string, value: V): void {
    let rows = this.tables.get(table);
    if (rows === undefined) this.tables.set(table, (rows = new Map()));
    rows.set(id, value);
  }

  delete(table: string, id: string): void {
    const rows = this.tables.get(table);
    if (rows?.delete(id) === true && rows.size === 0) this.tables.delete(table);
  }

  forEach(visit: (table: string, id: string, value: V) => void): void {
    for (const [table, rows] of this.tables) for (const [id, value] of rows) visit(table, id, value);
  }
}
