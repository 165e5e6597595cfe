// Owns: choosing who one is.
import { clearNotices } from "../notices.ts";
import { PEOPLE } from "../people.ts";
import { switchUser } from "../session.ts";

export function UserPicker({ userId }: { userId: string }) {
  return (
    <label className="user-picker">
      <span className="avatar" data-user={userId} aria-hidden="true">
        {userId.charAt(0).toUpperCase()}
      </span>
      <span className="visually-hidden">You are</span>
      <select
        value={userId}
        onChange={(event) => {
          clearNotices();
          void switchUser(event.target.value);
        }}
      >
        {PEOPLE.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
