// SPDX-License-Identifier: Apache-2.0

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;

/** The servlet of the live tests: /b/STATUS/SIZE[/chunked] answers with that many octets. */
public class Answer extends HttpServlet {
	private static final byte[] BODY = new byte[1 << 20];

	static {
		Arrays.fill(BODY, (byte) 't');
	}

	@Override
	protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
		try (InputStream in = request.getInputStream()) {
			in.readAllBytes();
		}
		String[] part = request.getRequestURI().split("/");
		int status = Integer.parseInt(part[2]);
		int size = Integer.parseInt(part[3]);
		boolean chunked = part.length > 4;
		response.setStatus(status);
		if (!chunked && status != 204)
			response.setContentLength(size);
		if (request.getMethod().equals("HEAD") || status == 204)
			return;
		OutputStream out = response.getOutputStream();
		if (chunked) {
			out.write(BODY, 0, 1);
			out.flush();
			out.write(BODY, 1, size - 1);
		} else {
			out.write(BODY, 0, size);
		}
	}
}
